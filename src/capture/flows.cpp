// SPDX-License-Identifier: BSD-3-Clause
#include "capture/flows.hpp"

#include <fmt/format.h>
#include <rte_malloc.h>
#include <rte_pause.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <utility>

#include "capture/stopping.hpp"

namespace wirespool::capture {
namespace {

constexpr auto nap = std::chrono::milliseconds(5);  // a ring holds what ends in that time
constexpr std::size_t at_once = 1024;

void wait_a_little() noexcept { rte_pause(); }

// One of the directories the capture has locked already.
bool is_output(const plan::CapturePlan& plan, const std::string& path) {
  std::error_code ignored;
  return std::ranges::any_of(plan.drives,
                             [&](const auto& drive) { return std::filesystem::equivalent(drive.path, path, ignored); });
}

std::unexpected<Error> no_directory(const storage::IoError& error, const std::string& what_to_do) {
  auto problem = storage::as_error(error, what_to_do);
  problem.why = error.message();
  problem.what = "--flows";
  return std::unexpected(std::move(problem));
}

std::expected<void, Error> lock_directory(const storage::Directory& directory, const std::string& name,
                                          std::optional<storage::DirectoryLock>& held) {
  auto lock = storage::DirectoryLock::take(directory, name);
  if (!lock) return no_directory(lock.error(), "give another --name or --flows, or see to the directory's permissions");
  held.emplace(std::move(*lock));
  return {};
}

}  // namespace

void Flows::FreeMemory::operator()(std::byte* memory) const { rte_free(memory); }

std::expected<std::unique_ptr<Flows>, Error> Flows::make(const plan::CapturePlan& plan, Timestamp start,
                                                         const machine::User* user) {
  if (std::ranges::all_of(plan.rx_lcores, [](const auto& rx) { return rx.flows == 0; })) return nullptr;
  std::unique_ptr<Flows> flows(new Flows);
  std::random_device random;
  const auto seed = std::uint64_t{random()} << 32 | random();
  for (const auto& rx : plan.rx_lcores)
    if (auto done = flows->add_lane(plan, rx, seed); !done) return std::unexpected(done.error());
  const machine::FilesAs as_user(user);
  if (auto done = flows->open_directory(plan, start); !done) return std::unexpected(done.error());
  return flows;
}

Flows::~Flows() {
  stop_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
}

std::expected<Flows::Memory, Error> Flows::take(std::size_t bytes, int numa_node) {
  void* const memory =
      rte_zmalloc_socket("wirespool flows", bytes, RTE_CACHE_LINE_SIZE, numa_node < 0 ? SOCKET_ID_ANY : numa_node);
  if (memory) return Memory(static_cast<std::byte*>(memory));
  return std::unexpected(Error{"hugepages", fmt::format("no memory for a table of flows ({} bytes)", bytes),
                               "give EAL more memory, or a smaller --flow-table", Error::Kind::not_ready});
}

std::expected<void, Error> Flows::add_lane(const plan::CapturePlan& plan, const plan::PlannedRxLcore& rx,
                                           std::uint64_t seed) {
  lanes_.push_back(std::make_unique<Lane>());
  auto& lane = *lanes_.back();
  const auto bytes = flow::FlowTable::bytes_needed(rx.flows);
  auto memory = take(bytes, rx.numa_node);
  if (!memory) return std::unexpected(memory.error());
  lane.table_memory = std::move(*memory);
  if (rx.flow_ring) {
    const auto ring_bytes = flow::FlowRing::bytes_needed(rx.flow_ring);
    auto ring_memory = take(ring_bytes, rx.numa_node);
    if (!ring_memory) return std::unexpected(ring_memory.error());
    lane.ring_memory = std::move(*ring_memory);
    lane.ring.emplace(std::span(lane.ring_memory.get(), ring_bytes), rx.flow_ring);
  }
  const bool waits = plan.when_full == plan::WhenFull::wait;
  lane.table.emplace(std::span(lane.table_memory.get(), bytes),
                     flow::FlowTableOptions{.flows = rx.flows,
                                            .seed = seed,
                                            .active_ns = plan.config.flow_active_ns,
                                            .idle_ns = plan.config.flow_idle_ns},
                     lane.ring ? &*lane.ring : nullptr, waits ? wait_a_little : nullptr);
  return {};
}

std::expected<void, Error> Flows::open_directory(const plan::CapturePlan& plan, Timestamp start) {
  const auto& config = plan.config;
  if (config.flows.empty()) return {};
  auto directory = storage::Directory::open(config.flows);
  if (!directory) return no_directory(directory.error(), "give a directory that is there");
  directory_.emplace(std::move(*directory));
  if (!is_output(plan, config.flows))
    if (auto done = lock_directory(*directory_, config.name, lock_); !done) return done;
  files_.emplace(record::FlowFilesOptions{.stem = config.name,
                                          .capture_start = start,
                                          .ipfix = config.flow_format == plan::FlowFormat::ipfix,
                                          .rotation = {config.rotate_size, config.rotate_age_ns},
                                          .flush_age = std::chrono::nanoseconds(config.flush_age_ns)},
                 *directory_);
  return {};
}

void Flows::start() {
  if (files_) thread_ = std::thread([this] { run(); });
}

bool Flows::finish(std::chrono::steady_clock::time_point end) {
  stop_.store(true, std::memory_order_release);
  return !thread_.joinable() || done_by(end, [this] { thread_.join(); });
}

// ---- the thread that writes

void Flows::run() {
  while (!stop_.load(std::memory_order_acquire)) {
    if (write_some() == 0) std::this_thread::sleep_for(nap);
    if (end_file_.exchange(false, std::memory_order_relaxed)) files_->end_file();
    files_->tend();
    if (auto complaint = files_->take_complaint()) {
      const std::lock_guard lock(complaint_mutex_);
      complaint_ = std::move(complaint);
    }
  }
  write_rest();
}

std::size_t Flows::write_some() {
  std::size_t taken = 0;
  for (auto& lane : lanes_)
    taken += lane->ring->take(at_once, [this](const flow::Flow& flow) { files_->add(flow::record_of(flow)); });
  return taken;
}

void Flows::write_rest() {
  while (write_some() != 0) continue;
  for (auto& lane : lanes_)
    lane->table->take_all(format::FlowEnd::stop,
                          [this](const flow::Flow& flow) { files_->add(flow::record_of(flow)); });
  files_->end_file();
  const std::lock_guard lock(complaint_mutex_);
  if (auto complaint = files_->take_complaint()) complaint_ = std::move(complaint);
}

// ---- asked

// What has ended is read before what began, so that nothing seems to end that did not begin.
void Flows::collect(format::FlowsLine& line) const {
  if (files_) {
    const auto& files = files_->counters();
    line.written = files.written.get();
    line.written_packets = files.written_packets.get();
    line.unwritten = files.unwritten.get();
    line.files = files.files.get();
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  for (const auto& lane : lanes_) {
    const auto& counters = lane->table->counters();
    const auto ended = counters.ended.get();
    line.ended += ended;
    line.full += counters.full.get();
    line.lost += counters.lost.get();
    line.lost_packets += counters.lost_packets.get();
    std::atomic_thread_fence(std::memory_order_acquire);
    line.open += counters.begun.get() - ended;
    line.packets += counters.packets.get();
  }
}

std::optional<std::string> Flows::take_complaint() {
  const std::lock_guard lock(complaint_mutex_);
  return std::exchange(complaint_, std::nullopt);
}

}  // namespace wirespool::capture

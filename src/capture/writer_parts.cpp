// SPDX-License-Identifier: BSD-3-Clause
#include "capture/writer_parts.hpp"

#include <fmt/format.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include <algorithm>

#include "capture/mbuf.hpp"

namespace wirespool::capture {
namespace {

constexpr std::uint64_t grow_bytes = 256ull << 20;

// Where io_uring's own workers may run: not on a polling lcore.
int housekeeping_cpu() {
  const rte_cpuset_t cpus = rte_lcore_cpuset(rte_get_main_lcore());
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &cpus)) return cpu;
  return -1;
}

}  // namespace

std::expected<std::unique_ptr<WriterParts>, plan::Problem> WriterParts::make(const plan::CapturePlan& plan,
                                                                             const plan::PlannedWriter& writer,
                                                                             std::vector<std::string>& notices) {
  std::unique_ptr<WriterParts> parts(new WriterParts(plan, writer));
  if (plan.config.until == plan::Until::handoff) return parts;
  if (auto done = parts->take_blocks(); !done) return std::unexpected(done.error());
  if (plan.config.until == plan::Until::disk)
    if (auto done = parts->make_queue(notices); !done) return std::unexpected(done.error());
  return parts;
}

WriterParts::WriterParts(const plan::CapturePlan& plan, const plan::PlannedWriter& writer)
    : drive_counters(writer.drives.size()),
      plan_(plan),
      planned_(writer),
      slots_(spool::SpoolWriter::lanes(static_cast<std::uint32_t>(plan.rx_lcores.size()), writer.drives.size()) *
             spool::SpoolWriter::slots_per_lane) {}

WriterParts::~WriterParts() {
  queue_.reset();
  rte_free(memory_);
}

std::expected<void, plan::Problem> WriterParts::take_blocks() {
  const auto bytes = spool::BlockPool::bytes_needed(planned_.blocks, plan_.block_bytes);
  memory_ = rte_malloc_socket("wirespool Blocks", bytes, 4096, planned_.numa_node < 0 ? SOCKET_ID_ANY : planned_.numa_node);
  if (!memory_)
    return std::unexpected(plan::Problem{
        "hugepages", fmt::format("no memory for writer {}'s {} Blocks of {} bytes", planned_.writer, planned_.blocks, plan_.block_bytes),
        "", true});
  block_memory_ = {static_cast<std::byte*>(memory_), bytes};
  std::ranges::fill(block_memory_, std::byte{0});  // every page is there before the first packet
  pool_ = std::make_unique<spool::BlockPool>(block_memory_, static_cast<std::uint32_t>(plan_.block_bytes));
  return {};
}

std::expected<void, plan::Problem> WriterParts::make_queue(std::vector<std::string>& notices) {
  const storage::IoQueueOptions options{
      .entries = static_cast<unsigned>(plan_.config.io_depth * planned_.drives.size()),
      .registered = block_memory_,
      .worker_cpu = housekeeping_cpu()};
  if (plan_.config.io == plan::Io::uring) {
    auto queue = storage::make_uring_queue(options);
    if (queue) {
      queue_ = std::move(*queue);
      if (const auto notice = queue_->notice(); !notice.empty()) notices.push_back(notice);
      return {};
    }
    notices.push_back(fmt::format("io_uring is not to be had ({}): writing with pwrite, one write at a time per writer",
                                  queue.error().message()));
  }
  queue_ = storage::make_pwrite_queue(options);
  return {};
}

std::vector<spool::FileSlot*> WriterParts::slots_on(std::size_t drive) {
  std::vector<spool::FileSlot*> mine;
  for (std::size_t i = 0; i < slots_.size() && !planned_.drives.empty(); ++i)
    if (planned_.drives[i / spool::SpoolWriter::slots_per_lane % planned_.drives.size()] == drive) mine.push_back(&slots_[i]);
  return mine;
}

void WriterParts::connect(Outputs& outputs) {
  if (plan_.config.until == plan::Until::handoff) return;
  const auto streams = static_cast<std::uint32_t>(plan_.rx_lcores.size());
  if (plan_.config.until == plan::Until::block) {
    sink_ = std::make_unique<spool::BlockSink>(*pool_, counters);
    for (std::uint32_t i = 0; i < streams; ++i)
      appenders.push_back(std::make_unique<spool::Appender>(appender_options(), *sink_));
    return;
  }
  std::vector<spool::WriterDrive> drives;
  for (std::size_t i = 0; i < planned_.drives.size(); ++i)
    drives.push_back({&outputs.drive(planned_.drives[i]), &outputs.keeper(planned_.drives[i]), &drive_counters[i]});
  const auto options = appender_options();
  spool_writer = std::make_unique<spool::SpoolWriter>(
      spool::SpoolWriterOptions{.writer = planned_.writer,
                                .streams = streams,
                                .depth = plan_.config.io_depth,
                                .snaplen = options.snaplen,
                                .block_bytes = options.block_bytes,
                                .flush_age_ns = options.flush_age_ns,
                                .grow_bytes = grow_bytes,
                                .rotation = options.rotation},
      std::move(drives), slots_, *pool_, *queue_, counters);
  for (std::uint32_t i = 0; i < streams; ++i) {
    auto own = options;
    own.first_lane = spool_writer->first_lane(i);
    appenders.push_back(std::make_unique<spool::Appender>(own, spool_writer->port(i)));
  }
  spool_writer->open_first_files();
}

spool::AppenderOptions WriterParts::appender_options() const {
  return {.drives = static_cast<std::uint32_t>(std::max<std::size_t>(1, planned_.drives.size())),
          .snaplen = plan_.config.snaplen,
          .block_bytes = static_cast<std::uint32_t>(plan_.block_bytes),
          .flush_age_ns = plan_.config.flush_age_ns,
          .rotation = {plan_.config.rotate_size, plan_.config.rotate_age_ns},
          .copy_chain = copy_chain};
}

}  // namespace wirespool::capture

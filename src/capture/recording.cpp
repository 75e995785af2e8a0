// SPDX-License-Identifier: BSD-3-Clause
#include "capture/recording.hpp"

#include <fmt/format.h>
#include <rte_lcore.h>

#include <chrono>
#include <utility>

#include "dpdk/refer.hpp"
#include "format/index.hpp"
#include "plan/route.hpp"

namespace wirespool::capture {
namespace {

// Where io_uring's own workers may run: not on a polling lcore.
int housekeeping_cpu() {
  const rte_cpuset_t cpus = rte_lcore_cpuset(rte_get_main_lcore());
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &cpus)) return cpu;
  return -1;
}

// A source is an RX queue.
format::FileLayout layout_of(const plan::CapturePlan& plan) {
  if (plan.config.format == plan::FileFormat::pcap) return format::FileLayout(format::PcapRecords(plan.config.snaplen));
  std::size_t queues = 0;
  for (const auto& rx : plan.rx_lcores) queues += rx.queues.size();
  return format::FileLayout(format::PcapngRecords(), queues);
}

}  // namespace

Recording::Recording(const plan::CapturePlan& plan) : layout_(layout_of(plan)), mail_(layout_.sources()) {}

record::RecorderOptions recorder_options(const plan::CapturePlan& plan, const Recording& recording) {
  const auto& config = plan.config;
  const auto route = plan::route_of(config);
  const bool flows = config.index == plan::IndexLevel::flow;
  return {.stem = config.name,
          .streams = route == plan::Route::packets_end ? 0 : static_cast<std::uint32_t>(plan.streams.size()),
          .streams_append = route == plan::Route::blocks_cross,
          .snaplen = config.snaplen,
          .layout = &recording.layout(),
          .block_bytes = static_cast<std::uint32_t>(plan.block_bytes),
          .flush_age_ns = config.flush_age_ns,
          .rotation = {config.rotate_size, config.rotate_age_ns},
          .depth = config.io_depth,
          .write_index = config.index != plan::IndexLevel::off,
          .checksums = config.checksum,
          .filter_bytes = flows ? format::filter_bytes_of(config.rotate_size) : 0,
          .sync_age = std::chrono::nanoseconds(config.sync_age_ns),
          .copy_chain = dpdk::copy_chain};
}

std::expected<std::unique_ptr<Recording>, Error> Recording::make(const plan::CapturePlan& plan, Outputs& outputs,
                                                                 const stats::ClockBounds& clock,
                                                                 std::vector<std::string>& notices) {
  std::unique_ptr<Recording> recording(new Recording(plan));
  recording->io_ = plan.config.io;
  std::vector<record::WriterOptions> writers;
  for (const auto& planned : plan.writers) {
    auto writer = recording->equip(plan, planned, notices);
    if (!writer) return std::unexpected(writer.error());
    writers.push_back(std::move(*writer));
  }
  auto options = recorder_options(plan, *recording);
  options.capture_start = outputs.start();
  options.seal_listeners = outputs.seal_listeners();
  options.clock = &clock;
  options.drive_listener = &outputs;
  options.tells_readers = true;
  recording->recorder_.emplace(std::move(options), outputs.drives(), std::move(writers));
  outputs.use(*recording->recorder_);
  return recording;
}

// Once io_uring was refused to one writer, it is not tried for the others.
std::unique_ptr<storage::IoQueue> Recording::make_queue(const plan::CapturePlan& plan,
                                                        const plan::PlannedWriter& writer, std::span<std::byte> memory,
                                                        std::vector<std::string>& notices) {
  const storage::IoQueueOptions options{.entries = static_cast<unsigned>(plan.config.io_depth * writer.drives.size()),
                                        .registered = memory,
                                        .worker_cpu = housekeeping_cpu()};
  if (io_ == plan::Io::uring) {
    auto queue = storage::make_uring_queue(options);
    if (queue) {
      if (const auto notice = (*queue)->notice(); !notice.empty()) notices.push_back(notice);
      return std::move(*queue);
    }
    io_ = plan::Io::pwrite;
    notices.push_back(fmt::format("io_uring is not to be had ({}): writing with pwrite, one write at a time per writer",
                                  queue.error().message()));
  }
  return storage::make_pwrite_queue(options);
}

std::expected<record::WriterOptions, Error> Recording::equip(const plan::CapturePlan& plan,
                                                             const plan::PlannedWriter& writer,
                                                             std::vector<std::string>& notices) {
  record::WriterOptions options{.number = writer.writer, .drives = {writer.drives.begin(), writer.drives.end()}};
  if (writer.blocks == 0) return options;
  auto memory = dpdk::BlockMemory::take(writer.blocks, plan.block_bytes, writer.numa_node);
  if (!memory) return std::unexpected(memory.error());
  memory_.push_back(std::move(*memory));
  options.memory = memory_.back()->bytes();
  if (writer.drives.empty()) return options;
  queues_.push_back(make_queue(plan, writer, options.memory, notices));
  options.queue = queues_.back().get();
  return options;
}

}  // namespace wirespool::capture

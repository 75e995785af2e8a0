// SPDX-License-Identifier: BSD-3-Clause
#include "capture/writer_parts.hpp"

#include <fmt/format.h>
#include <rte_lcore.h>

#include <algorithm>

#include "dpdk/refer.hpp"

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
  if (writer.blocks == 0) return parts;
  auto memory = dpdk::BlockMemory::take(writer.blocks, plan.block_bytes, writer.numa_node);
  if (!memory) return std::unexpected(memory.error());
  parts->memory_ = std::move(*memory);
  if (plan.config.until == plan::Until::disk)
    if (auto done = parts->make_queue(notices); !done) return std::unexpected(done.error());
  return parts;
}

WriterParts::WriterParts(const plan::CapturePlan& plan, const plan::PlannedWriter& writer)
    : drive_counters(writer.drives.size()),
      plan_(plan),
      planned_(writer),
      slots_(record::SpoolWriter::lanes(static_cast<std::uint32_t>(plan.rx_lcores.size()), writer.drives.size()) *
             record::SpoolWriter::slots_per_lane) {}

std::expected<void, plan::Problem> WriterParts::make_queue(std::vector<std::string>& notices) {
  const storage::IoQueueOptions options{
      .entries = static_cast<unsigned>(plan_.config.io_depth * planned_.drives.size()),
      .registered = memory_->bytes(),
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

std::vector<record::FileSlot*> WriterParts::slots_on(std::size_t drive) {
  std::vector<record::FileSlot*> mine;
  for (std::size_t i = 0; i < slots_.size() && !planned_.drives.empty(); ++i)
    if (planned_.drives[i / record::SpoolWriter::slots_per_lane % planned_.drives.size()] == drive)
      mine.push_back(&slots_[i]);
  return mine;
}

std::vector<const record::Drive*> WriterParts::drives(Outputs& outputs) const {
  std::vector<const record::Drive*> mine;
  for (const auto drive : planned_.drives) mine.push_back(&outputs.drive(drive));
  return mine;
}

void WriterParts::connect(Outputs& outputs) {
  const auto streams = static_cast<std::uint32_t>(plan_.rx_lcores.size());
  if (plan_.config.until == plan::Until::disk) make_spool_writer(outputs, streams);
  if (plan_.config.until == plan::Until::handoff || plan_.config.handoff == plan::HandoffKind::blocks) return;
  if (plan_.config.until == plan::Until::block)
    sink_ = std::make_unique<record::BlockSink>(memory_->pool(), counters.ended_early);
  for (std::uint32_t stream = 0; stream < streams; ++stream) {
    record::BlockPort& port = sink_ ? static_cast<record::BlockPort&>(*sink_) : spool_writer->port(stream);
    appenders.push_back(std::make_unique<record::Appender>(appender_options(stream), port));
  }
}

void WriterParts::make_spool_writer(Outputs& outputs, std::uint32_t streams) {
  std::vector<record::WriterDrive> drives;
  for (std::size_t i = 0; i < planned_.drives.size(); ++i)
    drives.push_back({&outputs.drive(planned_.drives[i]), &outputs.keeper(planned_.drives[i]), &drive_counters[i]});
  const auto options = capture::appender_options(plan_);
  const bool flows = plan_.config.index == plan::IndexLevel::flow;
  const auto filter_bytes = flows ? format::filter_bytes_of(plan_.config.rotate_size) : 0;
  spool_writer = std::make_unique<record::SpoolWriter>(record::SpoolWriterOptions{.writer = planned_.writer,
                                                                                  .streams = streams,
                                                                                  .depth = plan_.config.io_depth,
                                                                                  .layout = options.layout,
                                                                                  .block_bytes = options.block_bytes,
                                                                                  .flush_age_ns = options.flush_age_ns,
                                                                                  .grow_bytes = grow_bytes,
                                                                                  .rotation = options.rotation,
                                                                                  .filter_bytes = filter_bytes},
                                                       std::move(drives), slots_, memory_->pool(), *queue_, counters);
  spool_writer->open_first_files();
}

record::AppenderOptions WriterParts::appender_options(std::uint32_t stream) const {
  auto options = capture::appender_options(plan_);
  options.drives = static_cast<std::uint32_t>(std::max<std::size_t>(1, planned_.drives.size()));
  options.first_lane = stream * options.drives;
  return options;
}

record::AppenderOptions appender_options(const plan::CapturePlan& plan) {
  return {.layout = record::Records(plan.config.snaplen),
          .block_bytes = static_cast<std::uint32_t>(plan.block_bytes),
          .flush_age_ns = plan.config.flush_age_ns,
          .rotation = {plan.config.rotate_size, plan.config.rotate_age_ns},
          .copy_chain = dpdk::copy_chain};
}

}  // namespace wirespool::capture

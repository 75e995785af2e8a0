// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "capture/outputs.hpp"
#include "plan/capture_plan.hpp"
#include "spool/appender.hpp"
#include "spool/block.hpp"
#include "spool/block_sink.hpp"
#include "spool/file_slot.hpp"
#include "spool/spool_writer.hpp"
#include "stats/counters.hpp"
#include "storage/io_queue.hpp"

namespace wirespool::capture {

// Everything one writer lcore works with, built before it starts: Blocks in hugepages, files, the IoQueue, an Appender per
// Stream. Counters may be read by any thread.
class WriterParts {
 public:
  static std::expected<std::unique_ptr<WriterParts>, plan::Problem> make(const plan::CapturePlan& plan,
                                                                         const plan::PlannedWriter& writer,
                                                                         std::vector<std::string>& notices);
  ~WriterParts();

  // Once the keepers exist: the SpoolWriter (or the sink of --until block) and the Appenders.
  void connect(Outputs& outputs);

  std::vector<spool::FileSlot*> slots_on(std::size_t drive);  // index into plan.drives
  const plan::PlannedWriter& planned() const { return planned_; }

  stats::WriterCounters counters;
  std::vector<stats::DriveCounters> drive_counters;  // by planned().drives
  std::unique_ptr<spool::SpoolWriter> spool_writer;  // --until disk
  std::vector<std::unique_ptr<spool::Appender>> appenders;  // by Stream; none for --until rx|handoff

 private:
  WriterParts(const plan::CapturePlan& plan, const plan::PlannedWriter& writer);
  std::expected<void, plan::Problem> take_blocks();
  std::expected<void, plan::Problem> make_queue(std::vector<std::string>& notices);
  spool::AppenderOptions appender_options() const;

  const plan::CapturePlan& plan_;
  plan::PlannedWriter planned_;
  void* memory_ = nullptr;
  std::span<std::byte> block_memory_;
  std::unique_ptr<spool::BlockPool> pool_;
  std::vector<spool::FileSlot> slots_;
  std::unique_ptr<storage::IoQueue> queue_;
  std::unique_ptr<spool::BlockSink> sink_;
};

}  // namespace wirespool::capture

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "capture/outputs.hpp"
#include "dpdk/block_memory.hpp"
#include "plan/capture_plan.hpp"
#include "record/appender.hpp"
#include "record/block.hpp"
#include "record/block_sink.hpp"
#include "record/file_slot.hpp"
#include "record/spool_writer.hpp"
#include "stats/counters.hpp"
#include "storage/io_queue.hpp"

namespace wirespool::capture {

// What every Appender of the capture has in common.
record::AppenderOptions appender_options(const plan::CapturePlan& plan);

// Everything one writer lcore works with, built before it starts: Blocks in hugepages, files, the IoQueue, an Appender
// per Stream. Counters may be read by any thread.
class WriterParts {
 public:
  static std::expected<std::unique_ptr<WriterParts>, plan::Problem> make(const plan::CapturePlan& plan,
                                                                         const plan::PlannedWriter& writer,
                                                                         std::vector<std::string>& notices);

  // Once the keepers exist: the SpoolWriter (or the sink of --until block), and the Appenders if they are on this side.
  void connect(Outputs& outputs);

  std::vector<record::FileSlot*> slots_on(std::size_t drive);  // index into plan.drives
  std::vector<const record::Drive*> drives(Outputs& outputs) const;
  record::BlockPool* pool() { return memory_ ? &memory_->pool() : nullptr; }

  // For an Appender of Stream `stream`, on whichever lcore it is.
  record::AppenderOptions appender_options(std::uint32_t stream) const;
  const plan::PlannedWriter& planned() const { return planned_; }

  stats::WriterCounters counters;
  std::vector<stats::DriveCounters> drive_counters;   // by planned().drives
  std::unique_ptr<record::SpoolWriter> spool_writer;  // --until disk
  std::vector<std::unique_ptr<record::Appender>>
      appenders;  // by Stream; none for --until handoff, or if RX lcores append

 private:
  WriterParts(const plan::CapturePlan& plan, const plan::PlannedWriter& writer);
  void make_spool_writer(Outputs& outputs, std::uint32_t streams);
  std::expected<void, plan::Problem> make_queue(std::vector<std::string>& notices);

  const plan::CapturePlan& plan_;
  plan::PlannedWriter planned_;
  std::unique_ptr<dpdk::BlockMemory> memory_;
  std::vector<record::FileSlot> slots_;
  std::unique_ptr<storage::IoQueue> queue_;
  std::unique_ptr<record::BlockSink> sink_;
};

}  // namespace wirespool::capture

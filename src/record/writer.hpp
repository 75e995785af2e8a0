// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "policy/writer_shape.hpp"
#include "record/appender.hpp"
#include "record/block.hpp"
#include "record/block_sink.hpp"
#include "record/drive.hpp"
#include "record/file_keeper.hpp"
#include "record/file_slot.hpp"
#include "record/listeners.hpp"
#include "record/recorder_options.hpp"
#include "stats/counters.hpp"

namespace wirespool::record {

// A drive as one writer has it: its shared state, who keeps its files, and this writer's books about it. The writer
// lcore's; what is referred to outlives it.
struct WriterDrive {
  Drive* drive = nullptr;
  FileKeeper* keeper = nullptr;
  stats::DriveCounters* counters = nullptr;
  std::uint32_t inflight = 0;      // writes of all its lanes
  std::uint64_t let_go_after = 0;  // the Drive's failure after which this writer let go of it
  bool away = false;               // it has, and the drive is not back

  void write_began() noexcept { counters->inflight.set(++inflight); }
  void write_ended(std::uint64_t bytes) noexcept {
    counters->inflight.set(--inflight);
    counters->bytes.add(bytes);
  }
};

policy::WriterShape shape_of(const RecorderOptions& options, const WriterOptions& writer);

// One writer: Blocks, a sink for them, and unless they are elsewhere an Appender for each Stream. Used by one lcore;
// the counters may be read by any thread.
class Writer {
 public:
  Writer(const RecorderOptions& options, const WriterOptions& own, std::vector<WriterDrive> drives,
         std::span<FileSlot> slots);

  const policy::WriterShape& shape() const { return shape_; }
  BlockSink& sink() { return *sink_; }
  Appender& appender(std::size_t stream) { return *appenders_[stream]; }
  std::uint32_t blocks() const { return static_cast<std::uint32_t>(pool_.size()); }

  // For an Appender of Stream `stream`, on whichever lcore it is.
  AppenderOptions appender_options(std::uint32_t stream) const;
  std::vector<const Drive*> drives() const;

  stats::WriterCounters counters;
  std::vector<stats::DriveCounters> drive_counters;  // by WriterOptions::drives

 private:
  void make_sink(const RecorderOptions& options, const WriterOptions& own, std::vector<WriterDrive> drives,
                 std::span<FileSlot> slots);
  std::vector<BlockListener*> make_listeners(const RecorderOptions& options, const WriterOptions& own,
                                             std::span<FileSlot> slots);

  policy::WriterShape shape_;
  AppenderOptions appender_options_;
  std::vector<const Drive*> seen_drives_;
  BlockPool pool_;
  std::vector<std::unique_ptr<BlockListener>> own_listeners_;
  std::unique_ptr<BlockSink> sink_;
  std::vector<std::unique_ptr<Appender>> appenders_;  // by Stream
};

}  // namespace wirespool::record

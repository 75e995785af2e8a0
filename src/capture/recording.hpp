// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "capture/outputs.hpp"
#include "capture/source_notes.hpp"
#include "dpdk/block_memory.hpp"
#include "format/file_layout.hpp"
#include "plan/capture_plan.hpp"
#include "record/recorder.hpp"
#include "storage/io_queue.hpp"

namespace wirespool::capture {

// The Recorder of a capture, with what it is given of this machine: Blocks in hugepages and an IoQueue for each writer.
// Control thread.
class Recording {
 public:
  // `outputs` and `clock`, which says how far stamps may be from UTC, outlive it. What had to be done without is added
  // to `notices`.
  static std::expected<std::unique_ptr<Recording>, Error> make(const plan::CapturePlan& plan, Outputs& outputs,
                                                               const stats::ClockBounds& clock,
                                                               std::vector<std::string>& notices);

  record::Recorder& recorder() { return *recorder_; }
  plan::Io io() const { return io_; }  // what is written with: pwrite where io_uring is not to be had

  // The layout of all files. If they name sources, what stands in front of each is set after the ports are started and
  // before the lcores start.
  format::FileLayout& layout() { return layout_; }
  const format::FileLayout& layout() const { return layout_; }
  std::span<LossMail> mail() { return mail_; }  // by source

 private:
  explicit Recording(const plan::CapturePlan& plan);
  std::expected<record::WriterOptions, Error> equip(const plan::CapturePlan& plan, const plan::PlannedWriter& writer,
                                                    std::vector<std::string>& notices);
  std::unique_ptr<storage::IoQueue> make_queue(const plan::CapturePlan& plan, const plan::PlannedWriter& writer,
                                               std::span<std::byte> memory, std::vector<std::string>& notices);

  format::FileLayout layout_;
  std::vector<LossMail> mail_;
  std::vector<std::unique_ptr<dpdk::BlockMemory>> memory_;
  std::vector<std::unique_ptr<storage::IoQueue>> queues_;  // go first: they wait for writes out of the memory
  std::optional<record::Recorder> recorder_;
  plan::Io io_ = plan::Io::uring;
};

// The writing half's options, as the plan has them. `recording` outlives the Recorder that is made of them.
record::RecorderOptions recorder_options(const plan::CapturePlan& plan, const Recording& recording);

}  // namespace wirespool::capture

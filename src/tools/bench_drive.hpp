// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "storage/io_queue.hpp"
#include "storage/scratch_file.hpp"
#include "tools/disk_bench.hpp"

namespace wirespool::tools {

// One directory under measurement: its scratch file, its buffers and its IoQueue. prepare() is called by the thread
// that owns the measurement, run() by a thread of its own.
class BenchDrive {
 public:
  static std::expected<BenchDrive, storage::IoError> open(const std::string& directory, const DiskBenchOptions& options,
                                                          bool direct);

  std::expected<void, storage::IoError> prepare();  // a fresh file with all its room allocated

  // Writes all blocks, `depth` at a time, then syncs. Ends early when `stop` is set. Nothing is in flight when it
  // returns.
  std::expected<DriveRun, storage::IoError> run(const std::atomic<bool>& stop);

  void forget_run() { latencies_.resize(latencies_before_); }  // of a run that was cut short

  std::vector<std::uint64_t>& latencies() { return latencies_; }  // ns, of all runs
  const std::string& notice() const { return notice_; }

 private:
  struct FreeBuffers {
    void operator()(std::byte* buffers) const;
  };

  BenchDrive(std::string directory, const DiskBenchOptions& options, bool direct);
  std::expected<void, storage::IoError> open_queue();
  bool submit_next(std::uint64_t now);
  std::size_t reap();
  void take(const storage::WriteResult& result, std::uint64_t now);
  std::expected<void, storage::IoError> outcome() const;

  std::string directory_;
  DiskBenchOptions options_;
  bool direct_ = true;
  std::unique_ptr<std::byte, FreeBuffers> buffers_;
  std::unique_ptr<storage::IoQueue> queue_;
  std::vector<storage::ScratchFile> file_;  // one, replaced in each run
  std::vector<std::uint64_t> latencies_;
  std::size_t latencies_before_ = 0;  // the run
  std::string notice_;

  // The run's state.
  std::vector<std::uint32_t> free_buffers_;
  std::vector<std::uint64_t> submitted_at_;  // one per buffer
  std::uint64_t next_block_ = 0, done_blocks_ = 0, last_done_at_ = 0;
  int failure_ = 0;  // errno
};

std::uint64_t monotonic_ns();

}  // namespace wirespool::tools

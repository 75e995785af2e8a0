// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <chrono>
#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "format/file_layout.hpp"
#include "record/drive.hpp"
#include "record/file_slot.hpp"
#include "record/listeners.hpp"
#include "record/live_teller.hpp"
#include "stats/clock_bounds.hpp"
#include "storage/direct_file.hpp"

namespace wirespool::record {

struct FileKeeperOptions {
  std::string stem;
  Timestamp capture_start;
  bool direct_io = true;
  std::uint64_t preallocate_bytes = 256ull << 20;  // of a new file; 0: never
  bool write_index = true;
  std::uint32_t block_bytes = 0;               // of the Blocks, for the index
  const stats::ClockBounds* clock = nullptr;   // for the index; nullptr: not known
  std::chrono::nanoseconds sync_age{0};        // how often an open file that has grown is synced; 0: only when sealed
  std::vector<SealListener*> listeners;        // outlive the keeper
  const format::FileLayout* layout = nullptr;  // outlives it
  std::uint32_t writers = 0;                   // that write here: so many let go of the drive when it fails
  DriveListener* drive_listener = nullptr;     // outlives the keeper
  std::size_t number = 0;                      // which drive it is to that
  std::optional<std::uint64_t> live_flush_age_ns;  // for LiveTeller; nullopt: readers are not told of open files
};

// Everything slow about the files of one drive, on a thread of its own: opens SpoolFiles before writers need them,
// grows them ahead of the writes, syncs open ones and seals finished ones. A drive that hangs in a sync holds up nobody
// else's files.
class FileKeeper {
 public:
  // `slots`: of all writers' files on this drive; fixed for good. What is referred to outlives the keeper.
  FileKeeper(FileKeeperOptions options, Drive& drive, const storage::Directory& directory,
             std::vector<FileSlot*> slots);
  ~FileKeeper();

  void start();          // the thread; before that, work() may be called by the owner
  void stop() noexcept;  // finishes what is asked for, ends the thread
  void ask_to_stop() noexcept;
  bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }  // then stop() waits for nothing
  void count_unsealed() noexcept;  // what is in files that were not sealed is called unsynced, the synced part not
  void wake() noexcept { wake_.release(); }

  // Something else on this drive that may take long: done in turn on the keeper's thread, or at once if it has none.
  // Control thread.
  void post(std::function<void()> job);

  // Serves each slot once; how many there was something to do for.
  std::size_t work();

  // A drive that is full or has failed: finds out now and then whether it takes writes again, and takes it back. One
  // that failed is left alone first, so that its file system can be unmounted, mended and mounted again. The keeper's
  // thread does this by itself; without it, the owner, as for work().
  using Clock = std::chrono::steady_clock;
  void tend_drive(Clock::time_point now);

  std::uint64_t files_sealed() const noexcept { return files_sealed_.load(std::memory_order_relaxed); }

 private:
  void run();
  void tell_live();
  std::size_t do_posted();
  bool serve(FileSlot& slot);
  void look_for_room(Clock::time_point now);
  void leave_alone(Clock::time_point now);
  void try_again(Clock::time_point now);
  std::expected<void, storage::IoError> try_drive();
  void open(FileSlot& slot);
  void refuse(FileSlot& slot, storage::IoError error);
  void trim(FileSlot& slot);
  void grow(FileSlot& slot);
  bool sync(FileSlot& slot);
  void preallocate(FileSlot& slot, std::uint64_t bytes);
  void close(FileSlot& slot);
  void seal(FileSlot& slot);
  bool make_whole(FileSlot& slot);
  void write_ending(FileSlot& slot);
  bool give_name(FileSlot& slot, const std::string& name);
  void take_back(const FileSlot& slot, const storage::IoError& why);
  void leave_hidden(FileSlot& slot);
  void look_for_name(FileSlot& slot);
  template <typename Step>
  std::expected<void, storage::IoError> patiently(Step step);
  void write_index(const FileSlot& slot, const std::string& name);
  std::uint64_t affordable(std::uint64_t bytes) const;

  FileKeeperOptions options_;
  Drive& drive_;
  const storage::Directory& directory_;
  std::vector<FileSlot*> slots_;
  std::optional<LiveTeller> live_;

  // While the drive is full or has failed.
  Clock::time_point next_trial_{};
  std::optional<Clock::time_point> left_at_;  // nothing of the failed one is open since then
  unsigned returns_ = 0;                      // how often it failed and came back
  std::string refusal_;                       // why it was not taken back, as last reported

  std::counting_semaphore<> wake_{0};
  std::atomic<bool> stop_{false};
  std::atomic<bool> ended_{true};
  std::atomic<std::uint64_t> files_sealed_{0};
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::thread thread_;
};

}  // namespace wirespool::record

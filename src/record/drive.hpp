// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "storage/steady_time.hpp"
#include "wirespool/time_text.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::record {

enum class DriveState : std::uint32_t { ok, full, failed };  // each worse than the one before

// A time in which a drive took no Blocks.
struct DriveAbsence {
  Timestamp from;
  std::optional<Timestamp> to;  // nullopt: it is not back yet
  std::string why;
};

// One output directory as all writers see it. Shared.
class Drive {
 public:
  explicit Drive(std::string path, std::uint32_t block_bytes) : path_(std::move(path)), block_bytes_(block_bytes) {}

  const std::string& path() const { return path_; }
  std::uint32_t block_bytes() const { return block_bytes_; }

  bool ok() const noexcept { return state_.load(std::memory_order_relaxed) == DriveState::ok; }
  DriveState state() const noexcept { return state_.load(std::memory_order_acquire); }

  // Blocks handed to this drive and not yet on it, all writers together.
  std::uint32_t load() const noexcept { return load_.load(std::memory_order_relaxed); }
  void loaded() noexcept { load_.fetch_add(1, std::memory_order_relaxed); }
  void unloaded() noexcept { load_.fetch_sub(1, std::memory_order_relaxed); }

  // The first error decides; ENOSPC and EDQUOT make it full, anything else failed, even if it was full. Any thread;
  // takes no memory, for it may be a writer lcore.
  void fail(int error, std::string_view doing) noexcept {
    const std::lock_guard lock(why_mutex_);
    const auto now = error == ENOSPC || error == EDQUOT ? DriveState::full : DriveState::failed;
    if (state() >= now) return;
    if (ok()) {
      since_ns_.store(storage::steady_ns(), std::memory_order_relaxed);
      away_since_ = time_now();
    }
    error_ = error;
    doing_bytes_ = doing.copy(doing_.data(), doing_.size());
    if (now == DriveState::failed) failures_.fetch_add(1, std::memory_order_relaxed);
    state_.store(now, std::memory_order_release);
  }

  // On the steady clock; while it is not ok.
  std::uint64_t since_ns() const noexcept { return since_ns_.load(std::memory_order_relaxed); }

  // Each writer lets go of a drive that failed, once a failure: nothing of it is under way any more, and all of this
  // writer's files there are closed. So many have.
  std::uint64_t failures() const noexcept { return failures_.load(std::memory_order_acquire); }
  void let_go() noexcept { let_go_.fetch_add(1, std::memory_order_release); }
  std::uint32_t writers_gone() const noexcept { return let_go_.load(std::memory_order_acquire); }

  // It has proven to take writes again, and nothing of what it did not take is left with any lane: if it was full,
  // load() is 0; if it had failed, all its writers have let go of it. From now on it takes Blocks, in new files, as
  // each Appender ends the file it may still have here (renew()). What was told of files it had stays told
  // (unsynced()). Its keeper.
  void take_back() {
    const std::lock_guard lock(why_mutex_);
    if (ok()) return;
    if (absences_.size() == most_absences) absences_.erase(absences_.begin());
    absences_.push_back({away_since_, time_now(), why_now()});
    error_ = 0;
    doing_bytes_ = 0;
    let_go_.store(0, std::memory_order_relaxed);
    times_back_.fetch_add(1, std::memory_order_relaxed);
    renew();
    state_.store(DriveState::ok, std::memory_order_release);
  }
  std::uint64_t times_back() const noexcept { return times_back_.load(std::memory_order_relaxed); }

  // When it was away, the latest times, and since when it is. Control path.
  static constexpr std::size_t most_absences = 16;  // that are over
  std::vector<DriveAbsence> absences() const {
    const std::lock_guard lock(why_mutex_);
    auto all = absences_;
    if (!ok()) all.push_back({away_since_, std::nullopt, why_now()});
    return all;
  }

  // Packets that were written after the last sync that ended well of a file that could then not be synced or sealed:
  // the drive may still have them, in a hidden file that `wirespool repair` ends, or may have lost them with its cache
  // and its journal.
  void left_unsynced(std::uint64_t packets) noexcept { unsynced_.fetch_add(packets, std::memory_order_relaxed); }
  std::uint64_t unsynced() const noexcept { return unsynced_.load(std::memory_order_relaxed); }

  // Packets that were `stored` and are not on the drive any more: their file was removed under the capture, and they
  // could not be copied. The ledger takes them back: they are drop_drive. Keeper.
  void lost(std::uint64_t packets, std::uint64_t bytes) noexcept {
    lost_bytes_.fetch_add(bytes, std::memory_order_relaxed);
    lost_.fetch_add(packets, std::memory_order_release);  // whoever sees it sees them stored too
  }
  std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }
  std::uint64_t lost_bytes() const noexcept { return lost_bytes_.load(std::memory_order_relaxed); }

  // Every Appender ends the file it has here soon, when it sees that this number is not what it was when the file
  // began: one that is being written was removed, or all are to be ended. Any thread.
  void renew() noexcept { renewals_.fetch_add(1, std::memory_order_relaxed); }
  std::uint32_t renewals() const noexcept { return renewals_.load(std::memory_order_relaxed); }

  // What went wrong and did not take the drive out of the capture, a line each for people. Keeper and control thread;
  // whoever prints them takes them. Bounded: of more than that it is told how many.
  void complain(std::string line) {
    const std::lock_guard lock(complaints_mutex_);
    if (complaints_.size() < most_complaints)
      complaints_.push_back(std::move(line));
    else
      ++complaints_untold_;
  }
  std::vector<std::string> take_complaints() {
    const std::lock_guard lock(complaints_mutex_);
    auto taken = std::exchange(complaints_, {});
    if (const auto more = std::exchange(complaints_untold_, 0))
      taken.push_back("and " + std::to_string(more) + " more of that kind");
    return taken;
  }

  // What it said, empty while it is ok. Control path.
  std::string why() const {
    const std::lock_guard lock(why_mutex_);
    return why_now();
  }

 private:
  std::string why_now() const {
    if (error_ == 0) return {};
    return std::string(doing_.data(), doing_bytes_) + ": " + std::generic_category().message(error_);
  }

  std::string path_;
  std::uint32_t block_bytes_;
  std::atomic<DriveState> state_{DriveState::ok};
  std::atomic<std::uint64_t> since_ns_{0};
  std::atomic<std::uint64_t> failures_{0}, times_back_{0};
  std::atomic<std::uint32_t> let_go_{0};  // writers, since it failed
  alignas(64) std::atomic<std::uint32_t> load_{0};
  std::atomic<std::uint64_t> unsynced_{0};
  std::atomic<std::uint64_t> lost_{0}, lost_bytes_{0};
  std::atomic<std::uint32_t> renewals_{0};
  static constexpr std::size_t most_complaints = 16;
  std::mutex complaints_mutex_;
  std::vector<std::string> complaints_;
  std::uint64_t complaints_untold_ = 0;
  mutable std::mutex why_mutex_;
  int error_ = 0;  // why it is not ok
  std::array<char, 512> doing_;
  std::size_t doing_bytes_ = 0;
  Timestamp away_since_;
  std::vector<DriveAbsence> absences_;  // that are over
};

}  // namespace wirespool::record

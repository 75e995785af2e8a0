// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>

namespace wirespool::spool {

enum class DriveState : std::uint32_t { ok, full, failed };

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

  // The first error decides; ENOSPC and EDQUOT make it full, anything else failed. Any thread, at most once a drive;
  // takes no memory, for it may be a writer lcore.
  void fail(int error, std::string_view doing) noexcept {
    const std::lock_guard lock(why_mutex_);
    if (!ok()) return;
    error_ = error;
    doing_bytes_ = doing.copy(doing_.data(), doing_.size());
    state_.store(error == ENOSPC || error == EDQUOT ? DriveState::full : DriveState::failed, std::memory_order_release);
  }

  // Packets that were written after the last sync of a file that could then not be sealed: the drive may still have
  // them, in a hidden file that `wirespool repair` ends, or may have lost them with its cache and its journal.
  void left_unsynced(std::uint64_t packets) noexcept { unsynced_.fetch_add(packets, std::memory_order_relaxed); }
  std::uint64_t unsynced() const noexcept { return unsynced_.load(std::memory_order_relaxed); }

  // What it said, empty while it is ok. Control path.
  std::string why() const {
    const std::lock_guard lock(why_mutex_);
    if (error_ == 0) return {};
    return std::string(doing_.data(), doing_bytes_) + ": " + std::generic_category().message(error_);
  }

 private:
  std::string path_;
  std::uint32_t block_bytes_;
  std::atomic<DriveState> state_{DriveState::ok};
  alignas(64) std::atomic<std::uint32_t> load_{0};
  std::atomic<std::uint64_t> unsynced_{0};
  mutable std::mutex why_mutex_;
  int error_ = 0;  // why it is not ok
  std::array<char, 512> doing_;
  std::size_t doing_bytes_ = 0;
};

}  // namespace wirespool::spool

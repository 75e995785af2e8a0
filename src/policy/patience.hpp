// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>

namespace wirespool::policy {

// How often, or how long, to try again after an error that may pass. A keeper, which may sleep, counts its tries and
// pauses between them; an lcore, which polls, looks at the time.

// Errors that may pass: too many files open, no memory, interrupted; and EIO, as while a multipath drive switches
// paths. Whether trying again is honest is for the caller to know: after a failed sync it is not.
constexpr bool may_pass(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN || error == EINTR || error == EIO;
}

// The pause before retry `n`, counted from 0: it doubles each time.
constexpr std::chrono::milliseconds pause_before_retry(unsigned n) noexcept {
  return std::chrono::milliseconds(10) * (1u << n);
}
inline constexpr unsigned most_open_retries = 8;            // 2.5 s, in which other files of the drive are served
inline constexpr unsigned most_open_retries_after_eio = 2;  // 30 ms
inline constexpr unsigned most_step_retries = 3;            // of truncating, renaming, removing: 70 ms

// The pause before a drive that failed is tried, and between trials, if it came back `n` times before: one that fails
// again and again costs less and less, at most a trial every 64 s.
constexpr std::chrono::seconds pause_before_return(std::uint64_t n) noexcept {
  return std::chrono::seconds(1u << (n < 6 ? n : 6));
}

// How often a full drive is asked for room.
inline constexpr std::chrono::milliseconds pause_before_look_for_room{200};

// The longest that a drive, or the kernel's ring, may say "try again" (EAGAIN) without any progress.
inline constexpr std::uint64_t usual_patience_ns = 2'000'000'000;

// The patience of a polling thread. Used by one thread.
class Patience {
 public:
  explicit Patience(std::uint64_t longest_ns = usual_patience_ns) noexcept : longest_ns_(longest_ns) {}

  void went_on() noexcept { refused_since_ns_ = 0; }

  // Call when refused again: whether it has lasted too long without progress. `now_ns`: on the steady clock, not 0.
  bool ends_at(std::uint64_t now_ns) noexcept {
    if (refused_since_ns_ == 0) refused_since_ns_ = now_ns;
    return now_ns - refused_since_ns_ >= longest_ns_;
  }

 private:
  std::uint64_t longest_ns_;
  std::uint64_t refused_since_ns_ = 0;  // 0: not refused
};

}  // namespace wirespool::policy

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>

namespace wirespool::policy {

// ---- how long an lcore may sleep, from what is in front of it

// How long `packets` places last at line rate, in ns: frames of 64 bytes with FCS, and 20 bytes of preamble and gap for
// each (IEEE 802.3). `mbits`: a million bits a second each.
constexpr std::uint64_t filled_after_ns(std::uint64_t packets, std::uint64_t mbits) noexcept {
  constexpr std::uint64_t bits = (64 + 20) * 8;
  return packets * bits * 1'000 / mbits;
}

// The same for `bytes` of Blocks, in which a packet takes about as much as on the wire.
constexpr std::uint64_t filled_with_bytes_after_ns(std::uint64_t bytes, std::uint64_t mbits) noexcept {
  return bytes * 8 * 1'000 / mbits;
}

// Longer sleeps save nothing more, and this is what a stop, a watchdog or a port's reset waits for.
inline constexpr std::uint64_t longest_idle_sleep_ns = 1'000'000;
// Shorter ones cost more than they save: the kernel takes some microseconds to put a thread to sleep and wake it.
inline constexpr std::uint64_t least_idle_sleep_ns = 10'000;

// How long a sleep may take where what arrives meanwhile fills up after `filled_ns`: half of that, so that a thread may
// wake up as much later as it slept. 0: it is not worth sleeping.
constexpr std::uint64_t idle_sleep_ns(std::uint64_t filled_ns) noexcept {
  const auto half = std::min(filled_ns / 2, longest_idle_sleep_ns);
  return half < least_idle_sleep_ns ? 0 : half;
}

// ---- when it does

// One look that finds nothing is no idle link; a sleep costs as much as some microseconds of looking.
inline constexpr std::uint64_t idle_quiet_ns = 2'000;
// Who waits for room: a writer lcore that has Blocks takes packets more often, one that waits for its drives does not.
inline constexpr std::uint64_t waiting_quiet_ns = 100'000;
// Load comes in stretches: while one lasts, packets are waited for awake.
inline constexpr std::uint64_t loaded_rest_ns = 10'000'000;
// A machine that wakes threads up too late is tried again ten times a second.
inline constexpr std::uint64_t late_rest_ns = 100'000'000;

// In units of one counter, whatever that is.
struct IdleLimits {
  std::uint64_t longest = 0;      // a sleep is to take at most this, waking up included; 0: there is none
  std::uint64_t least = 1;        // shorter ones are not asked for
  std::uint64_t quiet = 0;        // nothing has to be found for so long first
  std::uint64_t plenty = 0;       // so much found after one sleep means load; 0: nothing does
  std::uint64_t loaded_rest = 0;  // no sleep for so long after that
  std::uint64_t late_rest = 0;    // nor when wake-ups are so late that a sleep would take longer than `longest`
};

// When a thread that looks for work in rounds sleeps, and for how long. It sleeps when it has found nothing for a
// while, asks for as much less than `longest` as it lately was woken up late, and does not sleep for some time when
// much had come meanwhile. One thread.
class IdlePace {
 public:
  explicit IdlePace(const IdleLimits& limits) noexcept : limits_(limits) {}

  // A round found nothing, at `now`; `found` grows with whatever is found. How long to sleep; 0: look again at once.
  std::uint64_t sleep_at(std::uint64_t now, std::uint64_t found) noexcept {
    if (found != found_) {
      went_on(now, found);
      return 0;
    }
    after_sleep_ = false;
    if (limits_.longest == 0 || now - quiet_since_ < limits_.quiet || now < awake_until_) return 0;
    const auto ask = limits_.longest - late_;
    if (ask >= limits_.least) return ask;
    late_ /= 2;  // trying again is the only way to learn of better times
    awake_until_ = now + limits_.late_rest;
    return 0;
  }

  // It slept, and that took `took`. True: twice as long as it may be, so that at line rate something was lost.
  bool slept(std::uint64_t asked, std::uint64_t took) noexcept {
    constexpr std::uint64_t share = 8;  // of the last sleep in what is learnt
    const auto late = std::min(took > asked ? took - asked : 0, limits_.longest);
    late_ = late_ - late_ / share + late / share;
    after_sleep_ = true;
    return took > 2 * limits_.longest;
  }

 private:
  void went_on(std::uint64_t now, std::uint64_t found) noexcept {
    const bool loaded = after_sleep_ && limits_.plenty != 0 && found - found_ >= limits_.plenty;
    if (loaded) awake_until_ = now + limits_.loaded_rest;
    after_sleep_ = false;
    found_ = found;
    quiet_since_ = now;
  }

  IdleLimits limits_;
  std::uint64_t found_ = 0;
  std::uint64_t quiet_since_ = 0;
  std::uint64_t awake_until_ = 0;
  std::uint64_t late_ = 0;  // how much later than asked it is woken up, lately
  bool after_sleep_ = false;
};

}  // namespace wirespool::policy

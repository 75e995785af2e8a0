// SPDX-License-Identifier: BSD-3-Clause
#include "capture/port_recovery.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "dpdk/clock.hpp"

namespace wirespool::capture {
namespace {

constexpr std::uint64_t deaf_ns = 2'000'000'000;              // no packet, and statistics that fail: that long
constexpr std::uint64_t driver_patience_ns = 30'000'000'000;  // a driver that recovers itself says when it gives up

}  // namespace

bool PortRecovery::tend(std::uint64_t now_ns, std::uint64_t received, std::vector<std::string>& notices) {
  if (state_ == State::failed) return false;
  const auto news = dpdk::take_news(port_.id());
  if (news.removed) {
    close_gate();
    return fail("it was removed", notices), false;
  }
  if (auto why = port_.gone()) return fail(*why, notices), false;
  switch (state_) {
    case State::running:
      if (news.recovering)
        close(State::recovering, now_ns, "its driver recovers it from an error", notices);
      else if (news.wants_reset)
        close(State::resetting, now_ns, "it was reset by its PF or its device", notices);
      else if (is_deaf(now_ns, received))
        close(State::resetting, now_ns, "it gives no packets, and its statistics cannot be read", notices);
      return false;
    case State::closing:
      if (parked_(word_)) {
        state_ = next_;
        began_ns_ = now_ns;
      }
      return false;
    case State::resetting:
      return try_to_reset(now_ns, notices);
    case State::recovering:
      return wait_for_driver(news, now_ns, notices);
    case State::failed:
      break;
  }
  return false;
}

// Whether the port is like a VF whose PF vanished silently: nothing arrives, and its statistics cannot be read.
bool PortRecovery::is_deaf(std::uint64_t now_ns, std::uint64_t received) {
  if (received != received_ || port_.losses().failures() == 0 || heard_at_ns_ == 0) {
    received_ = received;
    heard_at_ns_ = now_ns;
  }
  return now_ns - heard_at_ns_ >= deaf_ns;
}

void PortRecovery::close(State next, std::uint64_t now_ns, const std::string& why, std::vector<std::string>& notices) {
  close_gate();
  state_ = State::closing;
  next_ = next;
  began_ns_ = now_ns;
  gaps_.push_back({port_.planned().id, dpdk::utc_now(), std::nullopt, why});
  notices.push_back(fmt::format("{}: {}: nothing is received from it until it is back", port_.say(), why));
}

bool PortRecovery::try_to_reset(std::uint64_t now_ns, std::vector<std::string>& notices) {
  const auto done = port_.restart(notices);
  if (done) return open(notices), true;
  if (now_ns - began_ns_ >= patience_ns_) fail(fmt::format("it did not come back: {}", done.error().why), notices);
  return false;
}

bool PortRecovery::wait_for_driver(const dpdk::PortNews& news, std::uint64_t now_ns,
                                   std::vector<std::string>& notices) {
  if (news.recovered) {
    port_.losses().begin();
    return open(notices), true;
  }
  if (news.recovery_failed)
    fail("its driver could not recover it", notices);
  else if (now_ns - began_ns_ >= driver_patience_ns)
    fail("its driver has not recovered it", notices);
  return false;
}

void PortRecovery::open(std::vector<std::string>& notices) {
  gate_.closed.store(false, std::memory_order_relaxed);
  flag_.gates_changed();
  state_ = State::running;
  heard_at_ns_ = 0;
  gaps_.back().to = dpdk::utc_now();
  const auto gap_ms = (gaps_.back().to->ns - gaps_.back().from.ns) / 1'000'000;
  notices.push_back(fmt::format("{}: is back after {} ms", port_.say(), gap_ms));
}

void PortRecovery::close_gate() {
  gate_.closed.store(true, std::memory_order_relaxed);
  word_ = flag_.gates_changed();
}

// The gate of an interface that was deleted stays open: what came before is still to be received.
void PortRecovery::fail(const std::string& why, std::vector<std::string>& notices) {
  if (gaps_.empty() || gaps_.back().to) gaps_.push_back({port_.planned().id, dpdk::utc_now(), std::nullopt, why});
  state_ = State::failed;
  failed_ = fmt::format("{}: {}", port_.say(), why);
  notices.push_back(*failed_);
}

}  // namespace wirespool::capture

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "capture/lcore_signals.hpp"
#include "dpdk/port.hpp"
#include "dpdk/port_events.hpp"
#include "format/ledger_line.hpp"

namespace wirespool::capture {

// Keeps a port receiving: one that was reset is taken from the RX lcores, reset, configured and started again, and
// given back; one that does not come back within `patience_ns`, or was removed, has failed. What was missed meanwhile
// is a gap with two ends. Control thread.
class PortRecovery {
 public:
  // All of them outlive this. `parked`: whether every RX lcore knows of a StopFlag's word.
  PortRecovery(dpdk::Port& port, StopFlag& flag, std::function<bool(std::uint32_t)> parked, std::uint64_t patience_ns)
      : port_(port), flag_(flag), parked_(std::move(parked)), patience_ns_(patience_ns) {}
  PortRecovery(const PortRecovery&) = delete;
  PortRecovery& operator=(const PortRecovery&) = delete;

  // Now and then, with the time and what the port has given so far. What happened is added to `notices`. True: the port
  // was started again, and its clock is another.
  bool tend(std::uint64_t now_ns, std::uint64_t received, std::vector<std::string>& notices);

  bool running() const { return state_ == State::running; }
  const PortGate& gate() const { return gate_; }
  const std::optional<std::string>& failed() const { return failed_; }  // why
  const std::vector<format::GapLine>& gaps() const { return gaps_; }

 private:
  enum class State { running, closing, resetting, recovering, failed };

  bool is_deaf(std::uint64_t now_ns, std::uint64_t received);
  void close(State next, std::uint64_t now_ns, const std::string& why, std::vector<std::string>& notices);
  bool try_to_reset(std::uint64_t now_ns, std::vector<std::string>& notices);
  bool wait_for_driver(const dpdk::PortNews& news, std::uint64_t now_ns, std::vector<std::string>& notices);
  void close_gate();
  void open(std::vector<std::string>& notices);
  void fail(const std::string& why, std::vector<std::string>& notices);

  dpdk::Port& port_;
  StopFlag& flag_;
  std::function<bool(std::uint32_t)> parked_;
  std::uint64_t patience_ns_;
  PortGate gate_;
  State state_ = State::running, next_ = State::running;
  std::uint32_t word_ = 0;         // that tells lcores of the closed gate
  std::uint64_t began_ns_ = 0;     // to try to bring it back
  std::uint64_t heard_at_ns_ = 0;  // it gave packets, or its statistics could be read
  std::uint64_t received_ = 0;
  std::optional<std::string> failed_;
  std::vector<format::GapLine> gaps_;
};

}  // namespace wirespool::capture

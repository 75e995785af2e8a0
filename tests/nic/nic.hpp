// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// The NIC that stands in front of port 0: its state, which the interposed calls (calls.cpp), the data path
// (receive.cpp) and the script's thread (script.cpp) share.

#include <rte_ethdev.h>

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "persona.hpp"

namespace wirespool::test {

struct Nic {
  static constexpr std::uint16_t port = 0;

  Persona persona;

  // What the device knows. Written by the script, read by whoever asks.
  std::atomic<std::uint64_t> nic_missed{0}, nic_errors{0}, no_mbuf{0};
  std::vector<std::atomic<std::uint64_t>> xstats;  // as persona.xstats
  std::atomic<int> stats_error{0};                 // what statistics return until that is changed
  std::atomic<int> reset_error{0};                 // what rte_eth_dev_reset returns
  std::atomic<bool> deaf{false};                   // until it is started again
  std::atomic<std::int64_t> stamp_offset{0};       // added to the stamps of the next `offset_packets`
  std::atomic<std::int64_t> clock_offset{0};       // added to its clock and to all stamps
  std::atomic<std::uint64_t> offset_packets{0};

  // Of the data path.
  std::atomic<std::uint64_t> given{0};          // packets
  std::atomic<std::uint64_t> gate{UINT64_MAX};  // no more than these until the script's next step is done
  std::atomic<bool> started{false};
  bool stamps_on = false;

  std::uint16_t mtu = 1500;
  std::vector<std::uint8_t> rss_key;  // in effect; empty: no RSS

  struct Callback {
    rte_eth_event_type event;
    rte_eth_dev_cb_fn function;
    void* argument;
  };
  std::mutex lock;
  std::vector<Callback> callbacks;
  std::vector<std::pair<rte_dev_event_cb_fn, void*>> bus_callbacks;

  static Nic* get();  // nullptr: nobody asked for one ($WIRESPOOL_NIC)

  void log(const std::string& line);  // to $WIRESPOOL_NIC_LOG: what was asked of the device
  void fire(rte_eth_event_type event);
  void fire_bus_removal();
  void forget_counts();

  std::uint64_t clock(Persona::Clock which) const;
};

void start_script(Nic& nic);     // $WIRESPOOL_NIC_SCRIPT
void replace_receive(Nic& nic);  // after the port was started

}  // namespace wirespool::test

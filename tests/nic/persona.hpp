// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wirespool::test {

// How a driver and its device behave towards ethdev's control calls, as personas/*.json tell it (README.md).
struct Persona {
  std::string driver;

  struct Info {
    std::uint16_t max_rx_queues = 1;
    std::uint16_t ring_min = 0, ring_max = 4096, ring_step = 1, ring_recommended = 0;
    std::uint64_t rss_functions = 0;
    std::uint8_t key_bytes = 0;
    bool timestamps = false, scatter = false;
    std::uint16_t mtu = 1500, min_mtu = 68, max_mtu = 9000;
  } info;

  struct Grants {
    std::uint16_t rx_queues = UINT16_MAX;  // more are refused
    bool power_of_two = false;             // other numbers are refused when it is started
    int refusal = -1;
    bool stamps_refused = false;  // offered, and configuring it fails nevertheless
  } grants;

  std::vector<std::string> counts;  // which of nic_missed, nic_errors, no_mbuf it fills in
  std::vector<std::string> xstats;
  std::optional<int> stats_when_stopped;  // what statistics return then
  bool stop_clears = false;               // what was counted since the last reading is gone

  // free: ticks of 1 ns that began at an hour; split: nanoseconds of the second in the upper half, seconds in the lower
  enum class Clock { none, free, realtime, monotonic, split };
  Clock read_clock = Clock::none, stamps = Clock::none;

  bool rss_ignored = false;      // configure takes it and does nothing
  bool key_ignored = false;      // RSS is done with another key than the one that was taken
  bool mtu_ignored = false;      // rte_eth_dev_set_mtu returns 0 and does nothing
  std::uint16_t burst_step = 1;  // receive calls give a multiple of it, rounded down
  int promiscuous = 0, allmulticast = 0;
  std::optional<bool> pause;  // flow control is on; nullopt: it has none to ask for
  bool strips_vlan = false;
  // Stamps of queue n are n times so much earlier than those of queue 0, as of frames that waited in their ring, and
  // each stamp is logged: "stamp QUEUE TICKS".
  std::uint64_t queue_lag_ns = 0;
};

Persona read_persona(const std::string& path);  // throws std::runtime_error

}  // namespace wirespool::test

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string_view>

namespace wirespool::plan {

// What DPDK's drivers do but ethdev does not tell, read in their sources: drivers.cpp is the table, with the DPDK
// version each fact was read in. A driver that is not in it has the defaults here.
struct DriverFacts {
  std::string_view driver;  // rte_eth_dev_info.driver_name

  // Why it is not known what the device missed or refused; empty: its counters tell.
  std::string_view no_nic_missed = {}, no_nic_errors = {};
  // rx_nombuf counts failed attempts to refill its ring, repeatedly for the same descriptor, and no packet need be
  // lost.
  bool counts_refills = false;
  // xstats of lost packets that are in no other counter; a * stands for anything.
  std::span<const std::string_view> drops = {};

  // Why its stamps must not be used: they are not from the clock that rte_eth_read_clock reads, or it offers stamps but
  // writes none. Empty: they may be used once they prove right.
  std::string_view clock_unusable = {};
  // Whether its stamps are UTC nanoseconds already: the kernel's, or those of a device clock that something else keeps
  // on UTC. There is no clock to read, and the error of a device's clock is not known.
  enum class UtcStamps { none, kernel, device };
  UtcStamps utc_stamps = UtcStamps::none;

  unsigned burst_step = 1;  // receive calls for fewer packets return nothing; others return at most a multiple of it
  bool wants_power_of_two = false;  // number of RX queues
  bool vector_rings = false;        // a ring whose size is no power of two disables the fast receive functions
  unsigned late_us = 0;  // descriptors are written back in groups, or after this time: matters when a capture ends
  bool drop_en_helps = false;  // one full queue holds up all others unless rx_drop_en is set
};

const DriverFacts& facts_of(std::string_view driver);

// Whether the name of an xstat is one of facts.drops.
bool is_drop(const DriverFacts& facts, std::string_view xstat);

// A name that sounds like a loss: for a record of everything that may matter.
bool sounds_like_loss(std::string_view xstat);

}  // namespace wirespool::plan

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <span>
#include <string_view>

namespace wirespool::plan {

// What DPDK's drivers do and ethdev does not say, read in their sources: drivers.cpp is the table, with the version
// each fact was read in. A driver that is not in it has the values written here.
struct DriverFacts {
  std::string_view driver;  // rte_eth_dev_info.driver_name

  // Why nobody knows what the device missed or refused; empty: its counters tell.
  std::string_view no_nic_missed = {}, no_nic_errors = {};
  // rx_nombuf counts attempts to refill its ring that failed, again and again for one, and no packet need be lost.
  bool counts_refills = false;
  // xstats of packets that are lost and in no other counter; a * stands for anything.
  std::span<const std::string_view> drops = {};

  // Its stamps are not of the clock that rte_eth_read_clock reads, or it offers stamps and writes none; empty: they may
  // be believed once they prove right.
  std::string_view clock_unusable = {};
  // Its stamps are nanoseconds of UTC already: the kernel's, or by a clock of the device that somebody else keeps.
  // There is no clock to read, and nothing known of how right the device's is.
  enum class UtcStamps { none, kernel, device };
  UtcStamps utc_stamps = UtcStamps::none;

  unsigned burst_step = 1;          // receive calls for fewer packets return nothing, for others a multiple
  bool wants_power_of_two = false;  // number of RX queues
  bool vector_rings = false;        // rings that are no power of two take the fast receive functions away
  unsigned late_us = 0;        // descriptors are written back in groups, or after so long: for the end of a capture
  bool drop_en_helps = false;  // one full queue holds up all others unless rx_drop_en is set
};

const DriverFacts& facts_of(std::string_view driver);

// Whether the name of an xstat is one of facts.drops.
bool is_drop(const DriverFacts& facts, std::string_view xstat);

// A name that sounds like a loss: for a record of everything that may matter.
bool sounds_like_loss(std::string_view xstat);

}  // namespace wirespool::plan

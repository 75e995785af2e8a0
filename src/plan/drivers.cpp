// SPDX-License-Identifier: BSD-3-Clause
#include "plan/drivers.hpp"

#include <algorithm>
#include <array>

namespace wirespool::plan {
namespace {

using Names = std::string_view;

constexpr Names ask_pf = "the device has no counter for it: ethtool -S of its PF, on the host";
constexpr Names ask_host = "the driver has no counter for it: the host's side of the device may";
constexpr Names old_nfb = "DPDK's driver counts none before 26.03";
constexpr Names ask_peer = "the driver has no counter for it: the sender of the other end may";

// mlx5_ethdev_os.c:1454-1515 (22.11), :1569 (25.11): what the port drops before a queue is known.
constexpr auto mlx5_drops =
    std::to_array<Names>({"rx_phy_discard_packets", "rx_prio*_buf_discard_packets", "rx_prio*_cong_discard_packets"});
// ena_ethdev.c:96-100 (22.11): the instance's limits.
constexpr auto ena_drops =
    std::to_array<Names>({"bw_in_allowance_exceeded", "pps_allowance_exceeded", "conntrack_allowance_exceeded"});
// ixgbe_ethdev.c:3377 (22.11): QPRDC, where drop_en puts the losses, is in no field of rte_eth_stats but q_errors.
constexpr auto ixgbe_drops = std::to_array<Names>({"rx_q*_errors", "rx_q*_dropped"});

// Of DPDK 22.11 unless a line says otherwise.
constexpr auto drivers = std::to_array<DriverFacts>({
    // iavf_rxtx_vec_sse.c:35-47 (refills), iavf_rxtx_vec_avx2.c:41 (8), iavf_rxtx_vec_common.h:221 (rings); no
    // read_clock in any version to 26.07.
    // iavf_ethdev.c:1752 and virtchnl.h:1167: no field for errors.
    {.driver = "net_iavf",
     .no_nic_errors = ask_pf,
     .counts_refills = true,
     .clock_unusable = "its clock cannot be read",
     .burst_step = 8,
     .vector_rings = true,
     .late_us = 100},
    // ixgbe_ethdev.c:3815-3830 (counters), ixgbe_rxtx.c:5640 (queues), ixgbe_rxtx_vec_sse.c:379 (4).
    {.driver = "net_ixgbe_vf",
     .no_nic_missed = ask_pf,
     .no_nic_errors = ask_pf,
     .counts_refills = true,
     .burst_step = 4,
     .wants_power_of_two = true,
     .vector_rings = true,
     .late_us = 100},
    // ixgbe_ethdev.c:3377, ixgbe_rxtx.c:5135 (drop_en).
    {.driver = "net_ixgbe",
     .counts_refills = true,
     .drops = ixgbe_drops,
     .burst_step = 4,
     .vector_rings = true,
     .late_us = 100,
     .drop_en_helps = true},
    // i40e_rxtx_vec_avx2.c:126.
    {.driver = "net_i40e", .counts_refills = true, .burst_step = 8, .vector_rings = true, .late_us = 100},
    {.driver = "net_i40e_vf", .counts_refills = true, .burst_step = 8, .vector_rings = true, .late_us = 100},
    // ice_rxtx_vec_avx512.c:170; ice_ethdev.c:7359 (25.11): read_clock is the host's CLOCK_MONOTONIC_RAW since 25.07.
    {.driver = "net_ice",
     .counts_refills = true,
     .clock_unusable = "what it reads as its clock is the host's, not the one that stamps",
     .burst_step = 8,
     .vector_rings = true,
     .late_us = 100},
    {.driver = "net_e1000_igb", .counts_refills = true},
    // igb_ethdev.c:2069-2085.
    {.driver = "net_e1000_igb_vf", .no_nic_missed = ask_pf, .no_nic_errors = ask_pf, .counts_refills = true},
    // igc_ethdev.c:2869 (24.11): read_clock is the host's CLOCK_REALTIME, and no frame gets its stamp.
    {.driver = "net_igc", .counts_refills = true, .clock_unusable = "it offers stamps and writes none"},
    {.driver = "mlx5_pci", .drops = mlx5_drops},
    // ena_ethdev.c:2720 (25.11, first in it): offered where the device can; ena_eth_com.c:703: 64 bits of nanoseconds,
    // the source does not say since when: they have to prove right, as all.
    {.driver = "net_ena", .drops = ena_drops, .utc_stamps = DriverFacts::UtcStamps::device},
    // rte_eth_af_packet.c, eth_af_packet_rx, since 24.11: the kernel's tp_sec and tp_nsec (packet(7)).
    {.driver = "net_af_packet", .utc_stamps = DriverFacts::UtcStamps::kernel},
    // nfb_rx.h, nfb_eth_ndp_rx: UTC since 26.03; before, nanoseconds << 32 | seconds, which are refused. nfb_stats.c:
    // sets
    // neither imissed nor ierrors before 26.03, and rx_nombuf in none (its ring keeps what finds no mbuf).
    {.driver = "net_nfb",
     .no_nic_missed = old_nfb,
     .no_nic_errors = old_nfb,
     .utc_stamps = DriverFacts::UtcStamps::device},
    // bnxt_rxr.c:694-718.
    {.driver = "net_bnxt", .clock_unusable = "it offers stamps and writes none"},
    {.driver = "net_virtio", .no_nic_missed = ask_host},
    {.driver = "net_virtio_user", .no_nic_missed = ask_host},
    {.driver = "net_vhost", .no_nic_missed = ask_peer},
    {.driver = "net_tap",
     .no_nic_missed = "the driver has no counter for it: ip -s link of its interface (TX dropped)"},
    {.driver = "net_memif", .no_nic_missed = ask_peer},
    // mana.c:640 (25.11).
    {.driver = "net_mana", .no_nic_missed = ask_host},
    // pcap_ethdev.c:1402-1409 (26.07): stamps are the trace's.
    {.driver = "net_pcap", .clock_unusable = "its stamps are the trace's"},
});

bool matches(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  const auto head = pattern.substr(0, star), tail = pattern.substr(star + 1);
  return name.size() >= head.size() + tail.size() && name.starts_with(head) && name.ends_with(tail);
}

}  // namespace

const DriverFacts& facts_of(std::string_view driver) {
  static constexpr DriverFacts unknown{};
  const auto found = std::ranges::find(drivers, driver, &DriverFacts::driver);
  return found == drivers.end() ? unknown : *found;
}

bool is_drop(const DriverFacts& facts, std::string_view xstat) {
  return std::ranges::any_of(facts.drops, [&](auto pattern) { return matches(pattern, xstat); });
}

bool sounds_like_loss(std::string_view xstat) {
  constexpr std::array words{"drop", "discard", "miss", "err", "exceeded", "no_mbuf", "nombuf"};
  return std::ranges::any_of(words, [&](const char* word) { return xstat.find(word) != std::string_view::npos; });
}

}  // namespace wirespool::plan

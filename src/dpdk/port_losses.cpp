// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/port_losses.hpp"

#include <rte_ethdev.h>

#include <algorithm>
#include <utility>

#include "dpdk/probe.hpp"

namespace wirespool::dpdk {
namespace {

std::vector<rte_eth_xstat_name> xstat_names(std::uint16_t port) {
  const int count = rte_eth_xstats_get_names(port, nullptr, 0);
  if (count <= 0) return {};
  std::vector<rte_eth_xstat_name> names(static_cast<std::size_t>(count));
  if (rte_eth_xstats_get_names(port, names.data(), static_cast<unsigned>(count)) != count) return {};
  return names;
}

// By id, which is the index among the names (rte_ethdev.h).
std::vector<std::uint64_t> xstat_values(std::uint16_t port) {
  const int count = rte_eth_xstats_get(port, nullptr, 0);
  if (count <= 0) return {};
  std::vector<rte_eth_xstat> xstats(static_cast<std::size_t>(count));
  if (rte_eth_xstats_get(port, xstats.data(), static_cast<unsigned>(count)) != count) return {};
  std::vector<std::uint64_t> values(xstats.size());
  for (const auto& xstat : xstats)
    if (xstat.id < values.size()) values[xstat.id] = xstat.value;
  return values;
}

// A counter that the driver does not have is unknown, unless it shows something nevertheless.
std::optional<std::uint64_t> counted(std::uint64_t sum, const char* name, std::string_view why_not,
                                     format::PortLine& line) {
  if (why_not.empty() || sum != 0) return sum;
  line.not_counted.emplace_back(name, why_not);
  return std::nullopt;
}

}  // namespace

void PortLosses::begin() {
  sums_.begin(read_counters());
  begin_drops();
  read_at_ = std::chrono::steady_clock::now();
}

void PortLosses::read() {
  const auto elapsed_ns = take_elapsed_ns();
  sums_.add(read_counters(), elapsed_ns, link_mbits(port_));
  read_drops(elapsed_ns);
}

void PortLosses::read_last() {
  const auto elapsed_ns = take_elapsed_ns();
  if (const auto reading = read_counters()) sums_.add(reading, elapsed_ns, link_mbits(port_));
  read_drops(elapsed_ns);
  read_remarks();
}

std::optional<stats::LossReading> PortLosses::read_counters() {
  rte_eth_stats stats{};
  if (rte_eth_stats_get(port_, &stats) != 0) return std::nullopt;
  return stats::LossReading{stats.imissed + sockets_.dropped().value_or(0), stats.ierrors, stats.rx_nombuf};
}

std::uint64_t PortLosses::take_elapsed_ns() {
  const auto now = std::chrono::steady_clock::now();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(now - std::exchange(read_at_, now)).count());
}

// Sums that were begun before a reset go on.
void PortLosses::begin_drops() {
  if (facts_.drops.empty()) return;
  const auto names = xstat_names(port_);
  const auto values = xstat_values(port_);
  for (std::size_t id = 0; id < std::min(names.size(), values.size()); ++id) {
    if (!plan::is_drop(facts_, names[id].name)) continue;
    auto drop = std::ranges::find(drops_, id, &Drop::xstat);
    if (drop == drops_.end()) drop = drops_.insert(drops_.end(), Drop{id, {}});
    drop->sum.begin(values[id]);
  }
}

void PortLosses::read_drops(std::uint64_t elapsed_ns) {
  if (drops_.empty()) return;
  const auto values = xstat_values(port_);
  const auto most = stats::most_packets(elapsed_ns, link_mbits(port_));
  for (auto& drop : drops_)
    if (drop.xstat < values.size()) drop.sum.add(values[drop.xstat], most);
}

void PortLosses::read_remarks() {
  const auto names = xstat_names(port_);
  const auto values = xstat_values(port_);
  for (std::size_t id = 0; id < std::min(names.size(), values.size()); ++id)
    if (values[id] != 0 && plan::sounds_like_loss(names[id].name)) remarks_.emplace_back(names[id].name, values[id]);
}

void PortLosses::tell(format::PortLine& line) const {
  constexpr auto refills = "its driver counts attempts to refill its ring, not packets: see refills_failed";
  const auto sums = sums_.sums();
  line.nic_missed = counted(sums.nic_missed, "nic_missed", facts_.no_nic_missed, line);
  line.nic_errors = counted(sums.nic_errors, "nic_errors", facts_.no_nic_errors, line);
  if (facts_.counts_refills) {
    line.no_mbuf.reset();
    line.not_counted.emplace_back("no_mbuf", refills);
    line.refills_failed = sums.no_mbuf;
  } else {
    line.no_mbuf = sums.no_mbuf;
  }
  if (!drops_.empty()) {
    line.nic_other = 0;
    for (const auto& drop : drops_) *line.nic_other += drop.sum.sum();
  }
  line.stats_failed = sums_.failed();
  line.xstats = remarks_;
}

}  // namespace wirespool::dpdk

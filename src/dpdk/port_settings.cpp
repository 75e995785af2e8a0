// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/port_settings.hpp"

#include <fmt/format.h>
#include <rte_errno.h>

#include <algorithm>
#include <array>
#include <bit>

#include "plan/rss.hpp"

namespace wirespool::dpdk {
namespace {

static_assert((plan::rss_wanted & ~(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP)) == 0);

using Settings = PortSettings;

// Something a capture can do without. `give_up` returns what was given up, empty if it was not asked for.
using GiveUp = std::string (*)(Settings&);

std::string give_up_queues(Settings& settings, unsigned queues) {
  settings.rx_queues = queues;
  return fmt::format("all RX queues but {}", queues);
}

std::string give_up_key(Settings& settings) {
  auto& rss = settings.conf.rx_adv_conf.rss_conf;
  if (rss.rss_key == nullptr) return {};
  rss.rss_key = nullptr;
  rss.rss_key_len = 0;
  return "a symmetric RSS key";
}

std::string give_up_offload(Settings& settings, std::uint64_t offload, const char* what) {
  if (!(settings.conf.rxmode.offloads & offload)) return {};
  settings.conf.rxmode.offloads &= ~offload;
  return what;
}

std::string give_up_stamps(Settings& settings) {
  return give_up_offload(settings, RTE_ETH_RX_OFFLOAD_TIMESTAMP, "stamps from the NIC's clock");
}

std::string give_up_scatter(Settings& settings) {
  return give_up_offload(settings, RTE_ETH_RX_OFFLOAD_SCATTER, "scatter");
}

std::string give_up_mtu(Settings& settings) {
  if (settings.conf.rxmode.mtu == RTE_ETHER_MTU) return {};
  const auto what = fmt::format("an MTU of {}", settings.conf.rxmode.mtu);
  settings.conf.rxmode.mtu = RTE_ETHER_MTU;
  return what;
}

std::string give_up_tx_queue(Settings& settings) {
  if (settings.tx_queues == 0 || settings.sends) return {};
  settings.tx_queues = 0;
  return "a TX queue";
}

std::string give_up_rss(Settings& settings) {
  if (settings.conf.rxmode.mq_mode == RTE_ETH_MQ_RX_NONE) return {};
  settings.conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
  settings.conf.rx_adv_conf = {};
  return "RSS";
}

constexpr auto dispensable =
    std::to_array<GiveUp>({give_up_key, give_up_stamps, give_up_scatter, give_up_mtu, give_up_tx_queue, give_up_rss});

// Toeplitz key of repeated 0x6d5a: hashes a flow's two directions alike (Woo and Park, "Scalable TCP Session Monitoring
// with Symmetric Receive-side Scaling", KAIST 2012). The longest key any driver of DPDK takes is 52 bytes.
std::array<std::uint8_t, 64> symmetric_key() {
  std::array<std::uint8_t, 64> key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = i % 2 ? 0x5a : 0x6d;
  return key;
}

bool try_fewer_queues(Granted& granted, const Settings& wanted, const std::function<int(const Settings&)>& try_out) {
  for (unsigned queues = std::bit_floor(std::max(1u, wanted.rx_queues - 1)); queues < wanted.rx_queues; queues /= 2) {
    auto fewer = wanted;
    const auto without = give_up_queues(fewer, queues);
    if (try_out(fewer) == 0) {
      granted.settings = fewer;
      granted.without.push_back(without);
      return true;
    }
    if (queues == 1) break;
  }
  return false;
}

bool try_without_one(Granted& granted, const Settings& wanted, const std::function<int(const Settings&)>& try_out) {
  for (const auto give_up : dispensable) {
    auto less = wanted;
    const auto without = give_up(less);
    if (without.empty() || try_out(less) != 0) continue;
    granted.settings = less;
    granted.without.push_back(without);
    return true;
  }
  return false;
}

// Several things are refused at once: gives up one more at a time until the rest is accepted.
bool try_without_several(Granted& granted, const Settings& wanted, const std::function<int(const Settings&)>& try_out) {
  auto less = wanted;
  if (less.rx_queues > 1) granted.without.push_back(give_up_queues(less, 1));
  for (const auto give_up : dispensable) {
    const auto without = give_up(less);
    if (without.empty()) continue;
    granted.without.push_back(without);
    if (try_out(less) != 0) continue;
    granted.settings = less;
    return true;
  }
  return false;
}

}  // namespace

PortSettings wanted_settings(const plan::PlannedPort& planned, const rte_eth_dev_info& info) {
  static auto key = symmetric_key();
  PortSettings wanted{.rx_queues = planned.rx_queues, .tx_queues = planned.tx_queues, .sends = planned.sends};
  auto& conf = wanted.conf;
  if (planned.scatter) conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
  if (planned.hw_timestamp) conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  conf.rxmode.mtu = planned.mtu;
  if (planned.rss_functions == 0) return wanted;
  conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
  conf.rx_adv_conf.rss_conf.rss_hf = planned.rss_functions;
  if (planned.symmetric_key && info.hash_key_size && info.hash_key_size <= key.size()) {
    conf.rx_adv_conf.rss_conf.rss_key = key.data();
    conf.rx_adv_conf.rss_conf.rss_key_len = info.hash_key_size;
  }
  return wanted;
}

Granted negotiate(const PortSettings& wanted, const std::function<int(const PortSettings&)>& try_out) {
  Granted granted{.settings = wanted, .without = {}, .error = try_out(wanted)};
  if (granted.error == 0) return granted;
  granted.usable = try_fewer_queues(granted, wanted, try_out) || try_without_one(granted, wanted, try_out) ||
                   try_without_several(granted, wanted, try_out);
  return granted;
}

std::string say_error(int error) {
  return error == -1 ? "the driver gives no reason (-1)" : std::string(rte_strerror(-error));
}

}  // namespace wirespool::dpdk

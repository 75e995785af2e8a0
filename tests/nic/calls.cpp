// SPDX-License-Identifier: BSD-3-Clause
// ethdev's control calls, in front of the library's: of port 0 the persona answers, of others the library.
#include <dlfcn.h>
#include <fmt/format.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "nic.hpp"

// GCC: a type of a C function that has an attribute for vectors loses it as a template argument; harmless.
#define NIC_BENEATH(name) static const auto beneath = reinterpret_cast<decltype(&::name)>(dlsym(RTLD_NEXT, #name))

using wirespool::test::Nic;
using wirespool::test::Persona;

namespace {

Nic* nic_of(std::uint16_t port) { return port == Nic::port ? Nic::get() : nullptr; }

bool counts(const Nic& nic, const char* name) {
  return std::ranges::find(nic.persona.counts, name) != nic.persona.counts.end();
}

// What statistics return now; 0: they are answered.
int stats_error(const Nic& nic) {
  if (nic.stats_error) return nic.stats_error;
  return nic.started ? 0 : nic.persona.stats_when_stopped.value_or(0);
}

std::string offloads(std::uint64_t bits) {
  std::string text;
  if (bits & RTE_ETH_RX_OFFLOAD_TIMESTAMP) text += " timestamp";
  if (bits & RTE_ETH_RX_OFFLOAD_SCATTER) text += " scatter";
  if (bits & RTE_ETH_RX_OFFLOAD_VLAN_STRIP) text += " vlan-strip";
  return text.empty() ? " none" : text;
}

}  // namespace

extern "C" {

int rte_eth_dev_info_get(uint16_t port, rte_eth_dev_info* info) {
  NIC_BENEATH(rte_eth_dev_info_get);
  const int error = beneath(port, info);
  const auto* nic = nic_of(port);
  if (error || nic == nullptr) return error;
  const auto& persona = nic->persona;
  info->driver_name = persona.driver.c_str();
  info->if_index = 0;
  info->max_rx_queues = persona.info.max_rx_queues;
  info->rx_desc_lim = {.nb_max = persona.info.ring_max,
                       .nb_min = persona.info.ring_min,
                       .nb_align = persona.info.ring_step,
                       .nb_seg_max = 0,
                       .nb_mtu_seg_max = 0};
  info->default_rxportconf.ring_size = persona.info.ring_recommended;
  info->flow_type_rss_offloads = persona.info.rss_functions;
  info->hash_key_size = persona.info.key_bytes;
  info->min_mtu = persona.info.min_mtu;
  info->max_mtu = persona.info.max_mtu;
  info->rx_offload_capa &= ~(RTE_ETH_RX_OFFLOAD_TIMESTAMP | RTE_ETH_RX_OFFLOAD_SCATTER);
  if (persona.info.timestamps) info->rx_offload_capa |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  if (persona.info.scatter) info->rx_offload_capa |= RTE_ETH_RX_OFFLOAD_SCATTER;
  return 0;
}

// What the port beneath cannot do it is not asked.
int rte_eth_dev_configure(uint16_t port, uint16_t rx_queues, uint16_t tx_queues, const rte_eth_conf* asked) {
  NIC_BENEATH(rte_eth_dev_configure);
  auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port, rx_queues, tx_queues, asked);
  const auto& rss = asked->rx_adv_conf.rss_conf;
  nic->log(fmt::format("configure rx_queues={} mtu={} rss={:#x} key={} offloads={}", rx_queues, asked->rxmode.mtu,
                       asked->rxmode.mq_mode == RTE_ETH_MQ_RX_RSS ? rss.rss_hf : 0, rss.rss_key ? rss.rss_key_len : 0,
                       offloads(asked->rxmode.offloads)));
  const auto& grants = nic->persona.grants;
  if (rx_queues > grants.rx_queues) return grants.refusal;
  nic->stamps_on = asked->rxmode.offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  if (nic->stamps_on && grants.stamps_refused) return grants.refusal;
  nic->mtu = static_cast<std::uint16_t>(asked->rxmode.mtu ? asked->rxmode.mtu : RTE_ETHER_MTU);
  if (nic->persona.mtu_ignored) nic->mtu = nic->persona.info.mtu;
  nic->rss_key.resize(nic->persona.info.key_bytes);
  for (std::size_t i = 0; i < nic->rss_key.size(); ++i)
    nic->rss_key[i] = rss.rss_key && !nic->persona.key_ignored ? rss.rss_key[i] : static_cast<std::uint8_t>(i * 37 + 1);
  rte_eth_conf conf{};
  return beneath(port, rx_queues, tx_queues, &conf);
}

int rte_eth_rx_queue_setup(uint16_t port, uint16_t queue, uint16_t descriptors, unsigned socket,
                           const rte_eth_rxconf* conf, rte_mempool* pool) {
  NIC_BENEATH(rte_eth_rx_queue_setup);
  if (auto* nic = nic_of(port))
    nic->log(fmt::format("rx_queue {} descriptors={} drop={}", queue, descriptors, conf ? conf->rx_drop_en : 0));
  return beneath(port, queue, descriptors, socket, nullptr, pool);
}

int rte_eth_dev_start(uint16_t port) {
  NIC_BENEATH(rte_eth_dev_start);
  auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port);
  rte_eth_dev_info info{};
  static const auto real_info =
      reinterpret_cast<decltype(&::rte_eth_dev_info_get)>(dlsym(RTLD_NEXT, "rte_eth_dev_info_get"));
  const unsigned queues = real_info(port, &info) == 0 ? info.nb_rx_queues : 1u;
  nic->log(fmt::format("start rx_queues={}", queues));
  if (nic->persona.grants.power_of_two && !std::has_single_bit(queues)) return nic->persona.grants.refusal;
  const int error = beneath(port);
  if (error) return error;
  wirespool::test::replace_receive(*nic);
  nic->started = true;
  static const bool scripted = (wirespool::test::start_script(*nic), true);
  (void)scripted;
  return 0;
}

int rte_eth_dev_stop(uint16_t port) {
  NIC_BENEATH(rte_eth_dev_stop);
  if (auto* nic = nic_of(port)) {
    nic->log("stop");
    nic->started = false;
    if (nic->persona.stop_clears) nic->forget_counts();
  }
  return beneath(port);
}

// As a VF's: stopped, to be configured and started again, its counters from zero.
int rte_eth_dev_reset(uint16_t port) {
  NIC_BENEATH(rte_eth_dev_reset);
  auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port);
  nic->log("reset");
  if (nic->reset_error) return nic->reset_error;
  (void)rte_eth_dev_stop(port);
  nic->forget_counts();
  nic->stats_error = 0;
  return 0;
}

int rte_eth_stats_get(uint16_t port, rte_eth_stats* stats) {
  NIC_BENEATH(rte_eth_stats_get);
  auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port, stats);
  if (const int error = stats_error(*nic)) return error;
  const int error = beneath(port, stats);
  if (error) return error;
  stats->imissed = counts(*nic, "nic_missed") ? nic->nic_missed.load() : 0;
  stats->ierrors = counts(*nic, "nic_errors") ? nic->nic_errors.load() : 0;
  stats->rx_nombuf = counts(*nic, "no_mbuf") ? nic->no_mbuf.load() : 0;
  return 0;
}

int rte_eth_xstats_get_names(uint16_t port, rte_eth_xstat_name* names, unsigned size) {
  NIC_BENEATH(rte_eth_xstats_get_names);
  const auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port, names, size);
  const auto& known = nic->persona.xstats;
  if (names != nullptr && size >= known.size())
    for (std::size_t i = 0; i < known.size(); ++i) {
      names[i] = {};
      known[i].copy(names[i].name, sizeof names[i].name - 1);
    }
  return static_cast<int>(known.size());
}

int rte_eth_xstats_get(uint16_t port, rte_eth_xstat* xstats, unsigned size) {
  NIC_BENEATH(rte_eth_xstats_get);
  const auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port, xstats, size);
  if (const int error = stats_error(*nic)) return error;
  if (xstats != nullptr && size >= nic->xstats.size())
    for (std::size_t i = 0; i < nic->xstats.size(); ++i) xstats[i] = {i, nic->xstats[i]};
  return static_cast<int>(nic->xstats.size());
}

int rte_eth_read_clock(uint16_t port, uint64_t* ticks) {
  NIC_BENEATH(rte_eth_read_clock);
  const auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port, ticks);
  if (nic->persona.read_clock == Persona::Clock::none) return -ENOTSUP;
  *ticks = nic->clock(nic->persona.read_clock);
  return 0;
}

int rte_eth_promiscuous_enable(uint16_t port) {
  NIC_BENEATH(rte_eth_promiscuous_enable);
  auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port);
  nic->log("promiscuous");
  return nic->persona.promiscuous;
}

int rte_eth_allmulticast_enable(uint16_t port) {
  NIC_BENEATH(rte_eth_allmulticast_enable);
  auto* nic = nic_of(port);
  return nic ? nic->persona.allmulticast : beneath(port);
}

int rte_eth_dev_get_mtu(uint16_t port, uint16_t* mtu) {
  NIC_BENEATH(rte_eth_dev_get_mtu);
  const auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port, mtu);
  *mtu = nic->mtu;
  return 0;
}

int rte_eth_dev_set_mtu(uint16_t port, uint16_t mtu) {
  NIC_BENEATH(rte_eth_dev_set_mtu);
  auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port, mtu);
  nic->log(fmt::format("set_mtu {}", mtu));
  if (mtu > nic->persona.info.max_mtu) return -EINVAL;
  if (!nic->persona.mtu_ignored) nic->mtu = mtu;
  return 0;
}

int rte_eth_dev_rss_hash_conf_get(uint16_t port, rte_eth_rss_conf* conf) {
  NIC_BENEATH(rte_eth_dev_rss_hash_conf_get);
  const auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port, conf);
  conf->rss_hf = nic->persona.rss_ignored ? 0 : nic->persona.info.rss_functions;
  const auto& key = nic->rss_key;
  if (conf->rss_key != nullptr && conf->rss_key_len >= key.size()) std::ranges::copy(key, conf->rss_key);
  conf->rss_key_len = static_cast<std::uint8_t>(key.size());
  return 0;
}

int rte_eth_dev_flow_ctrl_get(uint16_t port, rte_eth_fc_conf* conf) {
  NIC_BENEATH(rte_eth_dev_flow_ctrl_get);
  const auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port, conf);
  if (!nic->persona.pause) return -ENOTSUP;
  *conf = {};
  conf->mode = *nic->persona.pause ? RTE_ETH_FC_FULL : RTE_ETH_FC_NONE;
  return 0;
}

int rte_eth_dev_flow_ctrl_set(uint16_t port, rte_eth_fc_conf* conf) {
  NIC_BENEATH(rte_eth_dev_flow_ctrl_set);
  auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port, conf);
  nic->log(fmt::format("flow_control {}", static_cast<int>(conf->mode)));
  if (!nic->persona.pause) return -ENOTSUP;
  nic->persona.pause = conf->mode != RTE_ETH_FC_NONE;
  return 0;
}

int rte_eth_dev_callback_register(uint16_t port, rte_eth_event_type event, rte_eth_dev_cb_fn function, void* argument) {
  NIC_BENEATH(rte_eth_dev_callback_register);
  auto* nic = nic_of(port);
  if (nic == nullptr) return beneath(port, event, function, argument);
  const std::lock_guard guard(nic->lock);
  nic->callbacks.push_back({event, function, argument});
  return 0;
}

int rte_dev_event_callback_register(const char* name, rte_dev_event_cb_fn function, void* argument) {
  NIC_BENEATH(rte_dev_event_callback_register);
  auto* nic = Nic::get();
  char own[RTE_ETH_NAME_MAX_LEN] = "";
  (void)rte_eth_dev_get_name_by_port(Nic::port, own);
  if (nic == nullptr || (name && std::strcmp(name, own) != 0)) return beneath(name, function, argument);
  const std::lock_guard guard(nic->lock);
  nic->bus_callbacks.emplace_back(function, argument);
  return 0;
}

}  // extern "C"

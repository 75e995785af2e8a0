// SPDX-License-Identifier: BSD-3-Clause
#include "capture/port.hpp"

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <utility>

#include "capture/removal.hpp"
#include "plan/rss.hpp"

namespace wirespool::capture {
namespace {

static_assert((plan::rss_wanted & ~(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP)) == 0);

constexpr unsigned largest_data_room = 65535;
constexpr unsigned least_trace = 8192, most_mbufs = 16u << 20;  // mbufs

// Toeplitz key of repeated 0x6d5a: hashes a flow's two directions alike (Woo and Park, "Scalable TCP Session Monitoring
// with Symmetric Receive-side Scaling", KAIST 2012). The longest key any driver of DPDK takes is 52 bytes.
std::array<std::uint8_t, 64> symmetric_key() {
  std::array<std::uint8_t, 64> key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = i % 2 ? 0x5a : 0x6d;
  return key;
}

rte_eth_conf wanted_configuration(const plan::PlannedPort& planned, const rte_eth_dev_info& info) {
  static auto key = symmetric_key();
  rte_eth_conf conf{};
  if (planned.scatter) conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
  if (planned.hw_timestamp) conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  if (planned.mtu) conf.rxmode.mtu = planned.mtu;
  if (planned.rss_functions) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = planned.rss_functions;
    if (planned.symmetric_key && info.hash_key_size && info.hash_key_size <= key.size()) {
      conf.rx_adv_conf.rss_conf.rss_key = key.data();
      conf.rx_adv_conf.rss_conf.rss_key_len = info.hash_key_size;
    }
  }
  return conf;
}

// The same configuration with one thing less that a device may refuse; what was left out, empty when nothing is left.
std::string leave_out_one(rte_eth_conf& conf, plan::PlannedPort& planned) {
  if (conf.rxmode.mq_mode != RTE_ETH_MQ_RX_NONE) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
    conf.rx_adv_conf = {};
    planned.rss_functions = 0;
    return "RSS";
  }
  if (conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP) {
    conf.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_TIMESTAMP;
    planned.hw_timestamp = false;
    return "stamps from the NIC's clock";
  }
  if (conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER) {
    conf.rxmode.offloads &= ~RTE_ETH_RX_OFFLOAD_SCATTER;
    planned.scatter = false;
    return "scatter";
  }
  if (conf.rxmode.mtu) {
    conf.rxmode.mtu = 0;
    return fmt::format("an MTU of {}", std::exchange(planned.mtu, 0));
  }
  if (planned.tx_queues) {
    planned.tx_queues = 0;
    return "a TX queue";
  }
  return {};
}

}  // namespace

std::expected<Port, plan::Problem> Port::configure(const plan::PlannedPort& planned, unsigned mempool_cache,
                                                   std::vector<std::string>& notices) {
  Port port(planned);
  if (auto done = port.configure_device(notices); !done) return std::unexpected(done.error());
  if (auto done = port.set_up_queues(mempool_cache, notices); !done) return std::unexpected(done.error());
  port.watch_interfaces();
  watch_for_removal(port.id());
  return port;
}

Port::Port(Port&& other) noexcept
    : planned_(std::move(other.planned_)),
      pool_(std::exchange(other.pool_, nullptr)),
      parked_(std::move(other.parked_)),
      interfaces_(std::move(other.interfaces_)),
      sockets_(std::move(other.sockets_)),
      cuts_(std::move(other.cuts_)),
      before_(other.before_),
      started_(std::exchange(other.started_, false)),
      owned_(std::exchange(other.owned_, false)) {}

Port::~Port() {
  if (!owned_) return;
  stop();
  rte_eth_dev_close(id());
  if (!parked_.empty()) rte_mempool_put_bulk(pool_, parked_.data(), static_cast<unsigned>(parked_.size()));
  rte_mempool_free(pool_);
}

std::expected<void, plan::Problem> Port::configure_device(std::vector<std::string>& notices) {
  rte_eth_dev_info info{};
  if (const int error = rte_eth_dev_info_get(id(), &info))
    return std::unexpected(refused("asking what it can do", error));
  rte_eth_conf conf = wanted_configuration(planned_, info);
  for (;;) {
    const int error = rte_eth_dev_configure(id(), static_cast<std::uint16_t>(planned_.rx_queues),
                                            static_cast<std::uint16_t>(planned_.tx_queues), &conf);
    if (error == 0) return {};
    const auto without = leave_out_one(conf, planned_);
    if (without.empty()) return std::unexpected(refused("configuring it", error));
    notices.push_back(
        fmt::format("{} refuses a configuration ({}): trying without {}", say(), rte_strerror(-error), without));
  }
}

// What cannot be known before a driver is asked: buffers that hold its longest frame (net_af_packet: -ENOMEM), mbufs
// for a trace that it keeps in memory (net_pcap with infinite_rx: -EINVAL).
std::expected<void, plan::Problem> Port::set_up_queues(unsigned mempool_cache, std::vector<std::string>& notices) {
  std::uint16_t rx_desc = static_cast<std::uint16_t>(planned_.rx_desc), tx_desc = 512;
  (void)rte_eth_dev_adjust_nb_rx_tx_desc(id(), &rx_desc, &tx_desc);
  planned_.rx_desc = rx_desc;
  const unsigned circulating = planned_.mbufs;
  for (;;) {
    if (auto done = make_pool(mempool_cache); !done) return done;
    const int error = set_up_rx_queues();
    if (error == 0) break;
    const auto what = provide_more(error, circulating);
    if (what.empty()) return std::unexpected(refused("setting up its RX queues", error));
    notices.push_back(fmt::format("{} needs more: {}", say(), what));
    rte_mempool_free(std::exchange(pool_, nullptr));
  }
  if (planned_.keeps_trace) park_surplus(circulating);
  if (const int error = set_up_tx_queues()) return std::unexpected(refused("setting up its TX queue", error));
  return {};
}

// Asks for longer or more mbufs after `error`; what for, empty if that is no way out.
std::string Port::provide_more(int error, unsigned circulating) {
  if (error == -ENOMEM && planned_.data_room < largest_data_room) {
    planned_.data_room = std::min(planned_.data_room * 2, largest_data_room);
    return fmt::format("mbufs of {} bytes", planned_.data_room);
  }
  if (error == -EINVAL && planned_.keeps_trace && planned_.mbufs < most_mbufs) {
    planned_.mbufs = circulating + std::max(least_trace, 4 * (planned_.mbufs - circulating));
    return fmt::format("{} mbufs, to keep its trace in memory", planned_.mbufs);
  }
  return {};
}

// mbufs that neither the trace nor the plan needs are taken out of circulation: a small pool stays in the CPU's caches.
void Port::park_surplus(unsigned circulating) {
  const unsigned available = rte_mempool_avail_count(pool_);
  if (available <= circulating) return;
  parked_.resize(available - circulating);
  if (rte_mempool_get_bulk(pool_, parked_.data(), static_cast<unsigned>(parked_.size())) != 0) parked_.clear();
}

std::expected<void, plan::Problem> Port::make_pool(unsigned mempool_cache) {
  const auto name = fmt::format("ws_port{}_{}_{}", id(), planned_.data_room, planned_.mbufs);
  const auto data_room = static_cast<std::uint16_t>(planned_.data_room);
  pool_ = rte_pktmbuf_pool_create(name.c_str(), planned_.mbufs, mempool_cache, 0, data_room,
                                  planned_.numa_node < 0 ? SOCKET_ID_ANY : planned_.numa_node);
  if (pool_) return {};
  return std::unexpected(plan::Problem{"hugepages",
                                       fmt::format("no memory for {}'s {} mbufs of {} bytes ({})", say(),
                                                   planned_.mbufs, planned_.data_room, rte_strerror(rte_errno)),
                                       "give EAL more memory: more hugepages, or a larger -m with --no-huge", true});
}

// What a driver that is fed by the kernel does not tell itself.
void Port::watch_interfaces() {
  interfaces_ = interfaces_of(id());
  if (planned_.driver == "net_af_packet" && !interfaces_.empty())
    sockets_ = PacketSockets::on_interface(interfaces_.front().index());
  if (planned_.cut_at == 0) return;
  for (unsigned queue = 0; queue < planned_.rx_queues; ++queue)
    if (auto frames = CutFrames::count(id(), static_cast<std::uint16_t>(queue), planned_.cut_at))
      cuts_.push_back(std::move(frames));
}

int Port::set_up_rx_queues() {
  for (unsigned queue = 0; queue < planned_.rx_queues; ++queue) {
    const int error =
        rte_eth_rx_queue_setup(id(), static_cast<std::uint16_t>(queue), static_cast<std::uint16_t>(planned_.rx_desc),
                               static_cast<unsigned>(rte_eth_dev_socket_id(id())), nullptr, pool_);
    if (error) return error;
  }
  return 0;
}

int Port::set_up_tx_queues() {
  for (unsigned queue = 0; queue < planned_.tx_queues; ++queue) {
    std::uint16_t rx_desc = static_cast<std::uint16_t>(planned_.rx_desc), tx_desc = 512;
    (void)rte_eth_dev_adjust_nb_rx_tx_desc(id(), &rx_desc, &tx_desc);
    const int error = rte_eth_tx_queue_setup(id(), static_cast<std::uint16_t>(queue), tx_desc,
                                             static_cast<unsigned>(rte_eth_dev_socket_id(id())), nullptr);
    if (error) return error;
  }
  return 0;
}

std::expected<void, plan::Problem> Port::start(std::vector<std::string>& notices) {
  if (const int error = rte_eth_dev_start(id())) return std::unexpected(refused("starting it", error));
  started_ = true;
  if (planned_.promiscuous) {
    if (const int error = rte_eth_promiscuous_enable(id()))
      notices.push_back(
          fmt::format("{} refuses promiscuous mode ({}): only frames for its own addresses are seen; a VF needs "
                      "`ip link set PF vf N trust on` on the host",
                      say(), rte_strerror(-error)));
    (void)rte_eth_allmulticast_enable(id());
  }
  before_ = {};
  before_ = losses();
  return {};
}

void Port::stop() {
  if (std::exchange(started_, false)) (void)rte_eth_dev_stop(id());
}

PortLosses Port::losses() const {
  rte_eth_stats stats{};
  if (rte_eth_stats_get(id(), &stats) != 0) return {};
  const auto since = [](std::uint64_t now, std::uint64_t then) { return now > then ? now - then : 0; };
  return {since(stats.imissed + sockets_.dropped().value_or(0), before_.nic_missed),
          since(stats.ierrors, before_.nic_errors), since(stats.rx_nombuf, before_.no_mbuf), cut()};
}

std::optional<std::uint64_t> Port::cut() const {
  if (cuts_.empty()) return std::nullopt;
  std::uint64_t sum = 0;
  for (const auto& frames : cuts_) sum += frames->seen();
  return sum;
}

// A driver that is fed by the kernel says its link is up as long as it is started.
bool Port::link_up() const {
  rte_eth_link link{};
  if (rte_eth_link_get_nowait(id(), &link) != 0 || link.link_status != RTE_ETH_LINK_UP) return false;
  return std::ranges::all_of(interfaces_, &NetInterface::running);
}

std::optional<std::string> Port::gone() const {
  if (was_removed(id())) return fmt::format("{} is gone", say());
  for (const auto& interface : interfaces_)
    if (!interface.exists()) return fmt::format("{} is gone: its interface {} was deleted", say(), interface.name());
  return std::nullopt;
}

std::string Port::say() const { return fmt::format("port {} ({})", planned_.id, planned_.name); }

plan::Problem Port::refused(const std::string& doing, int error) const {
  return {say(), fmt::format("{} failed: {} (driver {})", doing, rte_strerror(-error), planned_.driver),
          "see the driver's messages above and its page in DPDK's NIC guide", true};
}

}  // namespace wirespool::capture

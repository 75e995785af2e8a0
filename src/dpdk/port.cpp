// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/port.hpp"

#include <fmt/format.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <utility>

#include "dpdk/port_events.hpp"
#include "dpdk/probe.hpp"
#include "plan/drivers.hpp"

namespace wirespool::dpdk {
namespace {

constexpr unsigned largest_data_room = 65535;
constexpr unsigned least_trace = 8192, most_mbufs = 16u << 20;  // mbufs

struct RssInEffect {
  std::uint64_t functions = 0;
  bool other_key = false;  // the device reports its key, and it is not symmetric
};

// All 16-bit words of a symmetric key are the same. Drivers that do not report the key leave the buffer as it is, or
// return ENOTSUP.
std::optional<RssInEffect> rss_in_effect(std::uint16_t port) {
  std::array<std::uint8_t, 64> key{};  // longer than any driver's
  rte_eth_rss_conf now{};
  now.rss_key = key.data();
  now.rss_key_len = key.size();
  if (rte_eth_dev_rss_hash_conf_get(port, &now) != 0) return std::nullopt;
  const auto length = std::min<std::size_t>(now.rss_key_len, key.size());
  RssInEffect rss{.functions = now.rss_hf};
  const bool told = std::ranges::any_of(key, [](auto byte) { return byte != 0; });
  for (std::size_t i = 2; told && i < length; ++i) rss.other_key |= key[i] != 0 && key[i] != key[i - 2];
  return rss;
}

}  // namespace

std::expected<Port, Error> Port::configure(const plan::PlannedPort& planned, unsigned mempool_cache,
                                           std::vector<std::string>& notices) {
  Port port(planned);
  if (auto done = port.configure_device(notices); !done) return std::unexpected(done.error());
  if (auto done = port.set_up_queues(mempool_cache, notices); !done) return std::unexpected(done.error());
  port.watch_interfaces();
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(port.id(), &info) == 0 && info.device) listen_to_port(port.id(), rte_dev_name(info.device));
  return port;
}

Port::Port(Port&& other) noexcept
    : planned_(std::move(other.planned_)),
      pool_(std::exchange(other.pool_, nullptr)),
      parked_(std::move(other.parked_)),
      interfaces_(std::move(other.interfaces_)),
      losses_(std::move(other.losses_)),
      cuts_(std::move(other.cuts_)),
      started_(std::exchange(other.started_, false)),
      owned_(std::exchange(other.owned_, false)) {}

Port::~Port() {
  if (!owned_) return;
  stop();
  rte_eth_dev_close(id());
  if (!parked_.empty()) rte_mempool_put_bulk(pool_, parked_.data(), static_cast<unsigned>(parked_.size()));
  rte_mempool_free(pool_);
}

std::expected<void, Error> Port::configure_device(std::vector<std::string>& notices) {
  rte_eth_dev_info info{};
  if (const int error = rte_eth_dev_info_get(id(), &info))
    return std::unexpected(refused("asking what it can do", error));
  if (auto done = ask_for_clock(notices); !done) return done;
  const auto granted = negotiate(wanted_settings(planned_, info), [this](const PortSettings& settings) {
    return rte_eth_dev_configure(id(), static_cast<std::uint16_t>(settings.rx_queues),
                                 static_cast<std::uint16_t>(settings.tx_queues), &settings.conf);
  });
  if (!granted.usable) return std::unexpected(refused("configuring it", granted.error));
  take(granted.settings);
  for (const auto& without : granted.without)
    notices.push_back(
        fmt::format("{} refuses its configuration ({}): it does without {}", say(), say_error(granted.error), without));
  return need_clock();
}

// The stamping offload can cost the fast receive functions: it is not asked for if the clock cannot be read. Drivers
// that need to be started first are asked again then.
std::expected<void, Error> Port::ask_for_clock(std::vector<std::string>& notices) {
  std::uint64_t ticks = 0;
  if (plan::facts_of(planned_.driver).utc_stamps != plan::DriverFacts::UtcStamps::none) return {};
  if (!planned_.hw_timestamp || rte_eth_read_clock(id(), &ticks) != -ENOTSUP) return {};
  planned_.hw_timestamp = false;
  if (!planned_.needs_nic_clock)
    notices.push_back(fmt::format("{} stamps packets, but its clock cannot be read: the TSC stamps them", say()));
  return need_clock();
}

std::expected<void, Error> Port::need_clock() const {
  if (planned_.hw_timestamp || !planned_.needs_nic_clock) return {};
  return std::unexpected(Error{"--timestamp", fmt::format("the clock of {} cannot be used", say()),
                               "use --timestamp auto or tsc", Error::Kind::not_ready});
}

// From now on the port has what it was granted.
void Port::take(const PortSettings& settings) {
  const auto& rss = settings.conf.rx_adv_conf.rss_conf;
  planned_.rx_queues = settings.rx_queues;
  planned_.tx_queues = settings.tx_queues;
  planned_.scatter = settings.conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER;
  planned_.hw_timestamp = settings.conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  planned_.mtu = settings.conf.rxmode.mtu;
  planned_.rss_functions = settings.conf.rxmode.mq_mode == RTE_ETH_MQ_RX_RSS ? rss.rss_hf : 0;
  planned_.symmetric_key = rss.rss_key != nullptr;
}

// Some needs are known only from a driver's refusal: buffers that hold its longest frame (net_af_packet: -ENOMEM),
// mbufs for a trace that it keeps in memory (net_pcap with infinite_rx: -EINVAL).
std::expected<void, Error> Port::set_up_queues(unsigned mempool_cache, std::vector<std::string>& notices) {
  std::uint16_t rx_desc = static_cast<std::uint16_t>(planned_.rx_desc);
  std::uint16_t tx_desc = static_cast<std::uint16_t>(planned_.tx_desc);
  (void)rte_eth_dev_adjust_nb_rx_tx_desc(id(), &rx_desc, &tx_desc);
  planned_.rx_desc = rx_desc;
  planned_.tx_desc = tx_desc;
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
  if (planned_.keeps_trace) {
    if (auto enough = check_beside_trace(mempool_cache, circulating); !enough) return enough;
    park_surplus(circulating);
  }
  if (const int error = set_up_tx_queues()) return std::unexpected(refused("setting up its TX queue", error));
  return {};
}

// Provides longer or more mbufs after `error`; returns what for, empty if that would not help.
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

// A trace that just fitted into the pool may have left no mbufs to receive into: the port would never receive, and its
// driver can no longer be given a larger pool. The main lcore's cache may keep one and a half times its size.
std::expected<void, Error> Port::check_beside_trace(unsigned mempool_cache, unsigned circulating) const {
  const unsigned left = rte_mempool_avail_count(pool_);
  if (left >= 2 * mempool_cache) return {};
  const unsigned taken = planned_.mbufs - left;
  return std::unexpected(Error{
      say(), fmt::format("its trace takes {} of {} mbufs: too few are left to receive into", taken, planned_.mbufs),
      fmt::format("give --mbufs {}", taken + circulating), Error::Kind::not_ready});
}

// mbufs that neither the trace nor the plan needs are taken out of circulation: a small pool stays in the CPU's caches.
void Port::park_surplus(unsigned circulating) {
  const unsigned available = rte_mempool_avail_count(pool_);
  if (available <= circulating) return;
  parked_.resize(available - circulating);
  if (rte_mempool_get_bulk(pool_, parked_.data(), static_cast<unsigned>(parked_.size())) != 0) parked_.clear();
}

std::expected<void, Error> Port::make_pool(unsigned mempool_cache) {
  const auto name = fmt::format("ws_port{}_{}_{}", id(), planned_.data_room, planned_.mbufs);
  const auto data_room = static_cast<std::uint16_t>(planned_.data_room);
  pool_ = rte_pktmbuf_pool_create(name.c_str(), planned_.mbufs, mempool_cache, 0, data_room,
                                  planned_.numa_node < 0 ? SOCKET_ID_ANY : planned_.numa_node);
  if (pool_) return {};
  return std::unexpected(Error{"hugepages",
                               fmt::format("no memory for {}'s {} mbufs of {} bytes ({})", say(), planned_.mbufs,
                                           planned_.data_room, rte_strerror(rte_errno)),
                               "give EAL more memory: more hugepages, or a larger -m with --no-huge",
                               Error::Kind::not_ready});
}

// Watches, for a driver that is fed by the kernel, what the driver does not report itself.
void Port::watch_interfaces() {
  interfaces_ = interfaces_of(id());
  const bool packet_sockets = planned_.driver == "net_af_packet" && !interfaces_.empty();
  losses_.emplace(id(), planned_.driver,
                  packet_sockets ? PacketSockets::on_interface(interfaces_.front().index()) : PacketSockets());
}

// What was left out is not counted, so this comes after.
void Port::count_cut_frames() {
  if (planned_.cut_at == 0 || !cuts_.empty()) return;
  for (unsigned queue = 0; queue < planned_.rx_queues; ++queue)
    if (auto frames = CutFrames::count(id(), static_cast<std::uint16_t>(queue), planned_.cut_at))
      cuts_.push_back(std::move(frames));
}

int Port::set_up_rx_queues() {
  rte_eth_dev_info info{};
  if (const int error = rte_eth_dev_info_get(id(), &info)) return error;
  rte_eth_rxconf conf = info.default_rxconf;
  if (plan::facts_of(planned_.driver).drop_en_helps) conf.rx_drop_en = 1;
  for (unsigned queue = 0; queue < planned_.rx_queues; ++queue) {
    const int error =
        rte_eth_rx_queue_setup(id(), static_cast<std::uint16_t>(queue), static_cast<std::uint16_t>(planned_.rx_desc),
                               static_cast<unsigned>(rte_eth_dev_socket_id(id())), &conf, pool_);
    if (error) return error;
  }
  return 0;
}

int Port::set_up_tx_queues() {
  for (unsigned queue = 0; queue < planned_.tx_queues; ++queue) {
    const int error =
        rte_eth_tx_queue_setup(id(), static_cast<std::uint16_t>(queue), static_cast<std::uint16_t>(planned_.tx_desc),
                               static_cast<unsigned>(rte_eth_dev_socket_id(id())), nullptr);
    if (error) return error;
  }
  return 0;
}

std::expected<void, Error> Port::start(std::vector<std::string>& notices) {
  if (planned_.set_mtu && interfaces_.empty()) set_mtu(notices);
  int error = rte_eth_dev_start(id());
  if (error && planned_.rx_queues > 1) error = start_with_fewer_queues(error, notices);
  if (error) return std::unexpected(refused_start(error));
  started_ = true;
  if (planned_.promiscuous) be_promiscuous(notices);
  switch_pause_off(notices);
  check_rss(notices);
  if (planned_.driver == "net_af_packet") leave_out_what_waits(notices);
  count_cut_frames();
  losses_->begin();
  return {};
}

// net_af_packet makes its sockets some time before it binds them, and the kernel gives a packet socket the frames of
// all interfaces until then (packet(7); rte_eth_af_packet.c). All that waits in their rings is from before the capture.
void Port::leave_out_what_waits(std::vector<std::string>& notices) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(id(), &info) != 0) return;
  const std::uint64_t slots = own_ring(info);
  std::array<rte_mbuf*, 32> mbufs{};
  std::uint64_t frames = 0;
  for (unsigned queue = 0; queue < planned_.rx_queues; ++queue)
    for (std::uint64_t left = slots; left > 0;) {
      const auto count = rte_eth_rx_burst(id(), static_cast<std::uint16_t>(queue), mbufs.data(), mbufs.size());
      rte_pktmbuf_free_bulk(mbufs.data(), count);
      frames += count;
      left = count == 0 ? 0 : left - std::min<std::uint64_t>(left, count);
    }
  if (frames == 0) return;
  notices.push_back(fmt::format(
      "{}: {} frames that came before the capture are left out: they may be another interface's", say(), frames));
}

// Some drivers accept any number of queues but refuse to start unless it is a power of two (net_ixgbe_vf).
int Port::start_with_fewer_queues(int error, std::vector<std::string>& notices) {
  const unsigned queues = std::bit_floor(planned_.rx_queues - 1);
  notices.push_back(fmt::format("{} does not start with {} RX queues ({}): trying {}", say(), planned_.rx_queues,
                                say_error(error), queues));
  planned_.rx_queues = queues;
  std::vector<std::string> none;
  if (!configure_device(none) || set_up_rx_queues() != 0 || set_up_tx_queues() != 0) return error;
  return rte_eth_dev_start(id());
}

// ethdev's configuration only sizes buffers with some drivers (mlx5 of DPDK 22.11). An interface of the kernel is left
// as it is.
void Port::set_mtu(std::vector<std::string>& notices) {
  const int error = rte_eth_dev_set_mtu(id(), static_cast<std::uint16_t>(planned_.mtu));
  if (error && error != -ENOTSUP)
    notices.push_back(
        fmt::format("{} refuses an MTU of {} ({}): longer frames than it takes are lost as nic_errors, or "
                    "uncounted",
                    say(), planned_.mtu, say_error(error)));
  std::uint16_t now = 0;
  if (error || rte_eth_dev_get_mtu(id(), &now) != 0 || now == planned_.mtu) return;
  notices.push_back(
      fmt::format("{} took an MTU of {} and has one of {}: longer frames are lost as nic_errors, or uncounted", say(),
                  planned_.mtu, now));
  planned_.mtu = now;
}

void Port::be_promiscuous(std::vector<std::string>& notices) {
  const int error = rte_eth_promiscuous_enable(id());
  const int multicast = rte_eth_allmulticast_enable(id());
  if (error == -ENOTSUP)
    notices.push_back(fmt::format("{} has no promiscuous mode: only frames for its own addresses are seen", say()));
  else if (error)
    notices.push_back(
        fmt::format("{} refuses promiscuous mode ({}): only frames for its own addresses are seen{}; a VF needs "
                    "`ip link set PF vf N trust on` on the host, and a PF that is promiscuous itself with some NICs",
                    say(), say_error(error), multicast ? ", and not all multicast either" : ""));
}

// With pause frames on, a full ring makes the sender drop instead, where we cannot count it.
void Port::switch_pause_off(std::vector<std::string>& notices) {
  rte_eth_fc_conf pause{};
  if (rte_eth_dev_flow_ctrl_get(id(), &pause) != 0 || pause.mode == RTE_ETH_FC_NONE) return;
  pause.mode = RTE_ETH_FC_NONE;
  if (const int error = rte_eth_dev_flow_ctrl_set(id(), &pause))
    notices.push_back(
        fmt::format("{} sends pause frames when its ring is full, and cannot be told not to ({}): what the "
                    "sender drops then is in no counter",
                    say(), say_error(error)));
}

// Checks RSS as the device reports it, not as it was requested.
void Port::check_rss(std::vector<std::string>& notices) {
  if (planned_.rss_functions == 0 || planned_.rx_queues < 2) return;
  const auto now = rss_in_effect(id());
  if (!now) return;
  planned_.rss_functions &= now->functions;
  if (planned_.rss_functions == 0) {
    planned_.symmetric_key = false;
    notices.push_back(
        fmt::format("{} took its RSS configuration and has none in effect: the device or its PF decides "
                    "which queue a packet goes to, and the directions of a flow may go to two",
                    say()));
  } else if (planned_.symmetric_key && now->other_key) {
    planned_.symmetric_key = false;
    notices.push_back(fmt::format(
        "{} took its RSS key and hashes with another: the directions of a flow may go to two queues", say()));
  }
}

std::expected<void, Error> Port::restart(std::vector<std::string>& notices) {
  if (const int error = rte_eth_dev_reset(id())) return std::unexpected(refused("resetting it", error));
  started_ = false;
  const unsigned queues = planned_.rx_queues;
  if (auto done = configure_device(notices); !done) return done;
  if (planned_.rx_queues != queues) {  // RX lcores poll as many as before
    planned_.rx_queues = queues;
    return std::unexpected(
        Error{say(), "it grants fewer RX queues than before", "start the capture again", Error::Kind::not_ready});
  }
  if (const int error = set_up_rx_queues()) return std::unexpected(refused("setting up its RX queues", error));
  if (const int error = set_up_tx_queues()) return std::unexpected(refused("setting up its TX queue", error));
  return start(notices);
}

// Some drivers forget their losses when they are stopped, others report the last ones only then.
void Port::stop() {
  if (!std::exchange(started_, false)) return;
  losses_->read();
  (void)rte_eth_dev_stop(id());
  losses_->read_last();
}

void Port::read_losses() {
  if (started_) losses_->read();
}

void Port::tell(format::PortLine& line) const {
  losses_->tell(line);
  line.cut_by_driver = cut_by_driver();
}

std::optional<Port::Sent> Port::sent() const {
  rte_eth_stats stats{};
  if (rte_eth_stats_get(id(), &stats) != 0) return std::nullopt;
  return Sent{stats.opackets, stats.obytes, stats.oerrors};
}

std::optional<std::uint64_t> Port::cut_by_driver() const {
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
  for (const auto& interface : interfaces_)
    if (!interface.exists()) return fmt::format("its interface {} was deleted", interface.name());
  return std::nullopt;
}

std::string Port::say() const { return fmt::format("port {} ({})", planned_.id, planned_.name); }

Error Port::refused_start(int error) const {
  const auto lack = interfaces_.empty() ? std::nullopt : lack_for_interface_mode();
  if (!lack) return refused("starting it", error);
  return {say(), "starting it failed: " + *lack, "start it as root, or with that right", Error::Kind::not_ready};
}

Error Port::refused(const std::string& doing, int error) const {
  return {say(), fmt::format("{} failed: {} (driver {})", doing, say_error(error), planned_.driver),
          "see the driver's messages above and its page in DPDK's NIC guide", Error::Kind::not_ready};
}

}  // namespace wirespool::dpdk

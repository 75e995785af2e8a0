// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/net_interface.hpp"

#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>

#include "dpdk/probe.hpp"
#include "machine/facts.hpp"
#include "plan/eal_args.hpp"

namespace wirespool::dpdk {

namespace {

// A socket of the process's network namespace, for the ioctls of netdevice(7); -1: none can be made. Open until the
// end.
int any_socket() {
  static const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return socket;
}

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, sizeof request.ifr_name - 1);
  return request;
}

bool ask(unsigned long what, ifreq& request) { return ::ioctl(any_socket(), what, &request) == 0; }

std::optional<std::string> name_of(unsigned index) {
  ifreq request{};
  request.ifr_ifindex = static_cast<int>(index);
  if (!ask(SIOCGIFNAME, request)) return std::nullopt;
  return std::string(request.ifr_name);
}

// One of the old ETHTOOL_G... requests whose answer is a number; 0 if the driver has none.
std::uint32_t ask_ethtool(const std::string& name, std::uint32_t question) {
  ethtool_value value{};
  value.cmd = question;
  auto request = request_for(name);
  request.ifr_data = reinterpret_cast<char*>(&value);
  return ask(SIOCETHTOOL, request) ? value.data : 0;
}

std::string driver_of(const std::string& name) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  auto request = request_for(name);
  request.ifr_data = reinterpret_cast<char*>(&info);
  return ask(SIOCETHTOOL, request) ? info.driver : "";
}

// The names in `ethtool -K` of the features that join many frames into a long one, or pass one on before it is
// segmented.
std::vector<std::string> joining_features(const std::string& name) {
  std::vector<std::string> on;
  if (ask_ethtool(name, ETHTOOL_GGRO)) on.emplace_back("gro");
  if (ask_ethtool(name, ETHTOOL_GFLAGS) & ETH_FLAG_LRO) on.emplace_back("lro");
  if (ask_ethtool(name, ETHTOOL_GTSO)) on.emplace_back("tso");
  if (ask_ethtool(name, ETHTOOL_GGSO)) on.emplace_back("gso");
  return on;
}

constexpr auto fed_by_the_kernel =
    std::to_array<std::string_view>({"net_af_packet", "net_af_xdp", "net_pcap", "net_tap", "net_virtio_user"});

}  // namespace

std::optional<NetInterface> NetInterface::by_index(unsigned index) {
  auto name = name_of(index);
  if (!name) return std::nullopt;
  return NetInterface(index, std::move(*name));
}

std::optional<NetInterface> NetInterface::by_name(const std::string& name) {
  auto request = request_for(name);
  if (!ask(SIOCGIFINDEX, request)) return std::nullopt;
  return NetInterface(static_cast<unsigned>(request.ifr_ifindex), name);
}

bool NetInterface::exists() const { return name_of(index_) || errno != ENODEV; }

bool NetInterface::running() const {
  const auto name = name_of(index_);
  if (!name) return false;
  auto request = request_for(*name);
  constexpr int wanted = IFF_UP | IFF_RUNNING;
  return ask(SIOCGIFFLAGS, request) && (request.ifr_flags & wanted) == wanted;
}

plan::KernelInterface NetInterface::facts() const {
  plan::KernelInterface facts{.name = name_, .mtu = 0, .joins_by = joining_features(name_), .veth = false};
  if (auto request = request_for(name_); ask(SIOCGIFMTU, request)) facts.mtu = static_cast<unsigned>(request.ifr_mtu);
  facts.veth = driver_of(name_) == "veth";
  return facts;
}

std::vector<NetInterface> interfaces_of(std::uint16_t port) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(port, &info) != 0) return {};
  if (std::ranges::find(fed_by_the_kernel, info.driver_name) == fed_by_the_kernel.end()) return {};
  std::vector<NetInterface> interfaces;
  const auto add = [&](std::optional<NetInterface> found) {
    if (found && std::ranges::find(interfaces, found->name(), &NetInterface::name) == interfaces.end())
      interfaces.push_back(std::move(*found));
  };
  if (info.if_index) add(NetInterface::by_index(info.if_index));
  const auto arguments = plan::parse_device_args("," + device_arguments(info));
  for (const auto* key : {"iface", "rx_iface", "remote"})
    for (const auto& name : arguments.all(key)) add(NetInterface::by_name(name));
  return interfaces;
}

namespace {

bool is_packet_socket_on(int descriptor, unsigned index) {
  sockaddr_ll bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return false;
  return bound.sll_family == AF_PACKET && bound.sll_ifindex == static_cast<int>(index);
}

}  // namespace

PacketSockets PacketSockets::on_interface(unsigned index) {
  PacketSockets found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const auto name = entry.path().filename().string();
    int descriptor = -1;
    std::from_chars(name.data(), name.data() + name.size(), descriptor);
    if (is_packet_socket_on(descriptor, index)) found.sockets_.push_back(descriptor);
  }
  return found;
}

std::optional<std::uint64_t> PacketSockets::dropped() {
  bool all = !sockets_.empty();
  for (const int socket : sockets_) {
    tpacket_stats stats{};
    socklen_t size = sizeof stats;
    if (::getsockopt(socket, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
      dropped_ += stats.tp_drops;
    else
      all = false;
  }
  if (!all) return std::nullopt;
  return dropped_;
}

namespace {

std::uint16_t look_at_each(std::uint16_t, std::uint16_t, rte_mbuf** mbufs, std::uint16_t count, std::uint16_t,
                           void* frames) {
  for (std::uint16_t i = 0; i < count; ++i) static_cast<CutFrames*>(frames)->look_at(mbufs[i]->pkt_len);
  return count;
}

}  // namespace

std::unique_ptr<CutFrames> CutFrames::count(std::uint16_t port, std::uint16_t queue, unsigned cut_at) {
  std::unique_ptr<CutFrames> frames(new CutFrames(cut_at));
  if (rte_eth_add_rx_callback(port, queue, look_at_each, frames.get()) == nullptr) return nullptr;
  return frames;
}

namespace {

bool has(const machine::ProcessFacts& process, unsigned capability) {
  return (process.capabilities >> capability & 1) != 0;
}

}  // namespace

std::optional<std::string> lack_for_packet_socket() {
  const auto process = machine::look_at_process(machine::MachineTree());
  if (!has(process, CAP_NET_RAW)) return "this process has no CAP_NET_RAW, which its packet socket takes";
  if (has(process, CAP_IPC_LOCK) || !process.memlock) return std::nullopt;
  return fmt::format("this process has no CAP_IPC_LOCK, and may lock {} bytes (ulimit -l), for the socket's ring",
                     *process.memlock);
}

std::optional<std::string> lack_for_interface_mode() {
  if (has(machine::look_at_process(machine::MachineTree()), CAP_NET_ADMIN)) return std::nullopt;
  return "this process has no CAP_NET_ADMIN, which an interface's mode takes";
}

}  // namespace wirespool::dpdk

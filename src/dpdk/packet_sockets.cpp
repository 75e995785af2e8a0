// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/packet_sockets.hpp"

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <charconv>
#include <filesystem>
#include <string>

namespace wirespool::dpdk {
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

}  // namespace wirespool::dpdk

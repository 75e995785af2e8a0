// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/interface.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>

#include "storage/file_descriptor.hpp"
#include "traffic/clock.hpp"

namespace wirespool::traffic {
namespace {

using storage::FileDescriptor;

std::optional<ifreq> ask(const FileDescriptor& socket, unsigned long what, const std::string& name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  if (::ioctl(socket.get(), what, &request) != 0) return std::nullopt;
  return request;
}

sockaddr_in address_of(std::uint32_t address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_addr.s_addr = htonl(address);
  result.sin_port = htons(port);
  return result;
}

struct Neighbour {
  bool known = false, complete = false;
  Mac mac{};
};

Neighbour look_up(const FileDescriptor& socket, const Interface& interface, std::uint32_t address) {
  arpreq request{};
  const auto wanted = address_of(address, 0);
  std::memcpy(&request.arp_pa, &wanted, sizeof wanted);
  std::strncpy(request.arp_dev, interface.name.c_str(), sizeof request.arp_dev - 1);
  if (::ioctl(socket.get(), SIOCGARP, &request) != 0) return {};
  Neighbour result{true, (request.arp_flags & ATF_COM) != 0, {}};
  std::memcpy(result.mac.data(), request.arp_ha.sa_data, result.mac.size());
  return result;
}

}  // namespace

std::expected<Interface, Error> find_interface(const std::string& name) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  Interface found{.name = name, .index = static_cast<int>(::if_nametoindex(name.c_str()))};
  if (found.index == 0 || name.size() >= IFNAMSIZ)
    return std::unexpected(Error{name, "there is no such interface", "ip link shows them"});
  const auto flags = ask(socket, SIOCGIFFLAGS, name), mtu = ask(socket, SIOCGIFMTU, name);
  const auto mac = ask(socket, SIOCGIFHWADDR, name);
  if (!flags || !mtu || !mac)
    return std::unexpected(Error{name, std::strerror(errno), "ip link shows interfaces", Error::Kind::not_ready});
  found.up = (static_cast<unsigned>(flags->ifr_flags) & IFF_UP) != 0;
  found.promiscuous = (static_cast<unsigned>(flags->ifr_flags) & IFF_PROMISC) != 0;
  found.mtu = static_cast<std::uint32_t>(mtu->ifr_mtu);
  std::memcpy(found.mac.data(), mac->ifr_hwaddr.sa_data, found.mac.size());
  if (!found.up)
    return std::unexpected(
        Error{name, "the interface is down", fmt::format("ip link set {} up", name), Error::Kind::not_ready});
  return found;
}

std::expected<Interface, Error> interface_of(std::uint32_t address) {
  ifaddrs* list = nullptr;
  std::string name;
  if (::getifaddrs(&list) == 0) {
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
    for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
      if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
      sockaddr_in here{};
      std::memcpy(&here, entry->ifa_addr, sizeof here);
      if (ntohl(here.sin_addr.s_addr) == address) name = entry->ifa_name;
    }
  }
  if (name.empty())
    return std::unexpected(Error{address_text(address), "no interface here has this address",
                                 "give one of this machine's as LOCAL_IP; ip address shows them"});
  return find_interface(name.substr(0, name.find(':')));
}

std::expected<std::optional<Mac>, Error> ask_for_mac(const Interface& interface, std::uint32_t address) {
  constexpr std::uint64_t patience_ns = 1'000'000'000, pause_ns = 10'000'000;
  constexpr std::uint16_t discard_port = 9;  // RFC 863: an empty datagram there makes the kernel ask, and nobody answer
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  auto neighbour = look_up(socket, interface, address);
  if (!neighbour.complete) {
    const auto to = address_of(address, discard_port);
    (void)::sendto(socket.get(), nullptr, 0, MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    const auto end = steady_ns() + patience_ns;
    do {
      neighbour = look_up(socket, interface, address);
      if (!neighbour.known || neighbour.complete) break;
      sleep_until(steady_ns() + pause_ns);
    } while (steady_ns() < end);
  }
  if (neighbour.complete) return neighbour.mac;
  if (!neighbour.known) return std::nullopt;
  return std::unexpected(Error{address_text(address), fmt::format("nobody on {} answers for it", interface.name),
                               "is REMOTE_IP right, and the other end up?", Error::Kind::not_ready});
}

}  // namespace wirespool::traffic

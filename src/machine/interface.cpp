// SPDX-License-Identifier: BSD-3-Clause
#include "machine/interface.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <sstream>

namespace wirespool::machine {
namespace {

// No file lists IPv4 addresses by interface, so getifaddrs(3) is asked, on this machine only. An address whose network
// has a route is found through the route as well.
bool has_ipv4_address(const MachineTree& tree, const std::string& interface) {
  if (!tree.is_this_machine()) return false;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return false;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list(first, freeifaddrs);
  for (const auto* entry = first; entry != nullptr; entry = entry->ifa_next)
    if (entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET && entry->ifa_name == interface)
      return true;
  return false;
}

// /proc/net/if_inet6: address, index, prefix length, scope, flags, name; scope 20 is link-local, which every interface
// has (include/net/ipv6.h, IPV6_ADDR_LINKLOCAL).
bool has_ipv6_address(const MachineTree& tree, const std::string& interface) {
  std::istringstream lines(tree.text("proc/net/if_inet6").value_or(""));
  for (std::string address, index, prefix, scope, flags, name;
       lines >> address >> index >> prefix >> scope >> flags >> name;)
    if (name == interface && scope != "20") return true;
  return false;
}

// "p0", or "p0s1" where a port is split.
bool is_uplink_name(const std::string& port) {
  return port.size() >= 2 && port[0] == 'p' && std::isdigit(static_cast<unsigned char>(port[1])) != 0;
}

}  // namespace

bool has_routes(const MachineTree& tree, const std::string& interface) {
  std::istringstream routes(tree.text("proc/net/route").value_or(""));
  for (std::string line; std::getline(routes, line);) {
    if (line.starts_with(interface + "\t")) return true;
  }
  // Destination, prefix length, ..., interface; every interface has its link-local fe80::/64 and multicast ff00::/8.
  std::istringstream routes6(tree.text("proc/net/ipv6_route").value_or(""));
  for (std::string line; std::getline(routes6, line);) {
    if (!line.ends_with(" " + interface) || line.starts_with("fe80") || line.starts_with("ff")) continue;
    return true;
  }
  return false;
}

std::string in_use(const MachineTree& tree, const std::string& interface) {
  if (has_routes(tree, interface)) return "routes lead through " + interface;
  if (has_ipv4_address(tree, interface) || has_ipv6_address(tree, interface)) return interface + " has an address";
  const auto directory = "sys/class/net/" + interface;
  if (const auto master = tree.link_name(directory + "/master"); !master.empty())
    return interface + " belongs to " + master;
  for (const auto& name : tree.names(directory))
    if (name.starts_with("upper_")) return name.substr(6) + " is on top of " + interface;
  return "";
}

std::string uplink_of(const MachineTree& tree, const PciDevice& device) {
  const auto is_uplink = [&](const std::string& name) {
    return is_uplink_name(tree.line("sys/class/net/" + name + "/phys_port_name").value_or(""));
  };
  const auto found = std::ranges::find_if(device.interfaces, is_uplink);
  if (found != device.interfaces.end()) return *found;
  return device.interfaces.empty() ? "" : device.interfaces.front();
}

}  // namespace wirespool::machine

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "traffic/addresses.hpp"
#include "wirespool/error.hpp"

namespace wirespool::traffic {

// An interface of this network namespace, as the kernel has it now (netdevice(7)).
struct Interface {
  std::string name;
  int index = 0;
  std::uint32_t mtu = 0;
  Mac mac{};
  bool up = false;
  bool promiscuous = false;  // set so by someone (ip link set IF promisc on), not for as long as a program looks

  std::uint32_t longest(bool tagged) const { return mtu + 14 + (tagged ? 4u : 0u); }  // frame bytes, without FCS
};

// The Error says that there is none of that name, or that it is down.
std::expected<Interface, Error> find_interface(const std::string& name);

// The one that has this IPv4 address; the Error says that none has.
std::expected<Interface, Error> interface_of(std::uint32_t address);

// Asks for the address's MAC address by ARP, for at most a second. nullopt: it is not on this link, or this machine's
// own. The Error says that nobody answers.
std::expected<std::optional<Mac>, Error> ask_for_mac(const Interface& interface, std::uint32_t address);

}  // namespace wirespool::traffic

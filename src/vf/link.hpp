// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/io_error.hpp"

namespace wirespool::vf {

// What a PF's driver reports of one of its VFs (rtnetlink(7), linux/if_link.h IFLA_VF_*).
struct VfLink {
  unsigned number = 0;
  std::string mac;  // "52:54:00:12:34:56"
  unsigned vlan = 0;
  std::optional<bool> trusted = {}, spoof_check = {};  // nullopt: the driver has no such setting
  std::string link_state = "auto";                     // "auto", "enable", "disable"
};

// All VFs of the PF that has `interface`. Needs no privilege.
std::expected<std::vector<VfLink>, storage::IoError> read_vf_links(const std::string& interface);

// Settings by their ip-link(8) names: "mac", "vlan", "trust", "spoofchk", "state". Needs CAP_NET_ADMIN.
std::expected<void, storage::IoError> set_vf_link(const std::string& interface, unsigned number,
                                                  const std::string& name, const std::string& value);

// The messages themselves.
using Bytes = std::vector<std::byte>;
Bytes vf_query(unsigned interface_index);
std::expected<Bytes, std::string> vf_request(unsigned interface_index, unsigned number, const std::string& name,
                                             const std::string& value);  // or what is wrong with the value
std::vector<VfLink> parse_vf_links(std::span<const std::byte> message);

// A driver's private switch, as `ethtool --show-priv-flags` shows it.
struct PrivateFlag {
  std::string name;
  bool on = false;
};
std::expected<std::vector<PrivateFlag>, storage::IoError> read_private_flags(const std::string& interface);
std::expected<void, storage::IoError> set_private_flag(const std::string& interface, const std::string& name, bool on);

// Intel's own i40e driver takes commands through a debugfs file and answers in the kernel's log. `lines`: what the log
// gained.

// "dump switch" -> the identifier of the PF's internal bridge: "type=17 seid=160 uplink=2 downlink=0".
std::optional<unsigned> bridge_seid(const std::vector<std::string>& lines);

// "dump vf 3" -> that of the VF: "vf  3: VSI id=12, seid=393, qps=4".
std::optional<unsigned> vf_seid(const std::vector<std::string>& lines, unsigned number);

// "add switch ingress mirror 160 393" -> "Ingress mirror rule 2 added".
std::optional<unsigned> rule_id(const std::vector<std::string>& lines);

}  // namespace wirespool::vf

// SPDX-License-Identifier: BSD-3-Clause
#include "vf/link.hpp"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace wirespool::vf {
namespace {

// A netlink message being written: header, ifinfomsg, attributes (netlink(7)).
class Message {
 public:
  Message(std::uint16_t type, std::uint16_t flags, unsigned interface_index) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    ifinfomsg link{};
    link.ifi_index = static_cast<int>(interface_index);
    append(header);
    append(link);
  }

  template <class Value>
  void add(std::uint16_t type, const Value& value) {
    const auto at = open(type);
    append(value);
    set_length(at, RTA_LENGTH(sizeof value));
  }
  std::size_t open(std::uint16_t type) {
    const auto at = bytes_.size();
    append(rtattr{0, type});
    return at;
  }
  void close(std::size_t at) { set_length(at, bytes_.size() - at); }

  Bytes take() {
    const auto length = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
    return std::move(bytes_);
  }

 private:
  // Everything starts at a multiple of four bytes: NLMSG_ALIGNTO and RTA_ALIGNTO.
  template <class Value>
  void append(const Value& value) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof value);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }
  void set_length(std::size_t at, std::size_t length) {
    const auto value = static_cast<std::uint16_t>(length);
    std::memcpy(bytes_.data() + at + offsetof(rtattr, rta_len), &value, sizeof value);
  }
  Bytes bytes_;
};

// Calls `visit(type, payload)` for each attribute; stops at the first that does not fit.
template <class Visit>
void for_each_attribute(std::span<const std::byte> bytes, Visit visit) {
  while (bytes.size() >= RTA_LENGTH(0)) {
    rtattr attribute{};
    std::memcpy(&attribute, bytes.data(), sizeof attribute);
    if (attribute.rta_len < RTA_LENGTH(0) || attribute.rta_len > bytes.size()) return;
    visit(attribute.rta_type & NLA_TYPE_MASK, bytes.subspan(RTA_LENGTH(0), attribute.rta_len - RTA_LENGTH(0)));
    bytes = bytes.subspan(std::min<std::size_t>(RTA_ALIGN(attribute.rta_len), bytes.size()));
  }
}

template <class Value>
bool read(std::span<const std::byte> bytes, Value& value) {
  if (bytes.size() < sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  return true;
}

std::string format_mac(const std::uint8_t* mac) {
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                mac[5]);
  return text.data();
}

// The kernel answers all ones where the driver has no such setting (net/core/rtnetlink.c, rtnl_fill_vfinfo).
std::optional<bool> switch_of(std::uint32_t setting) {
  return setting == ~0u ? std::nullopt : std::optional<bool>(setting != 0);
}

VfLink parse_vf(std::span<const std::byte> bytes) {
  VfLink link;
  for_each_attribute(bytes, [&](unsigned type, std::span<const std::byte> payload) {
    ifla_vf_mac mac{};
    ifla_vf_vlan vlan{};
    ifla_vf_spoofchk setting{};  // the same two numbers as ifla_vf_trust and ifla_vf_link_state
    if (type == IFLA_VF_MAC && read(payload, mac)) {
      link.number = mac.vf;
      link.mac = format_mac(mac.mac);
    } else if (type == IFLA_VF_VLAN && read(payload, vlan)) {
      link.vlan = vlan.vlan;
    } else if (type == IFLA_VF_SPOOFCHK && read(payload, setting)) {
      link.spoof_check = switch_of(setting.setting);
    } else if (type == IFLA_VF_TRUST && read(payload, setting)) {
      link.trusted = switch_of(setting.setting);
    } else if (type == IFLA_VF_LINK_STATE && read(payload, setting)) {
      link.link_state = setting.setting == IFLA_VF_LINK_STATE_ENABLE    ? "enable"
                        : setting.setting == IFLA_VF_LINK_STATE_DISABLE ? "disable"
                                                                        : "auto";
    }
  });
  return link;
}

bool parse_mac(const std::string& text, std::uint8_t* mac) {
  std::array<unsigned, 6> parts{};
  char rest = 0;
  const int count = std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x%c", &parts[0], &parts[1], &parts[2], &parts[3],
                                &parts[4], &parts[5], &rest);
  for (std::size_t i = 0; i < parts.size(); ++i) mac[i] = static_cast<std::uint8_t>(parts[i]);
  return count == 6;
}

// 0 or 1; nullopt: not a valid value.
std::optional<std::uint32_t> parse_switch(const std::string& value) {
  if (value == "on") return 1;
  if (value == "off") return 0;
  return std::nullopt;
}

std::optional<std::uint32_t> parse_link_state(const std::string& value) {
  if (value == "auto") return IFLA_VF_LINK_STATE_AUTO;
  if (value == "enable") return IFLA_VF_LINK_STATE_ENABLE;
  if (value == "disable") return IFLA_VF_LINK_STATE_DISABLE;
  return std::nullopt;
}

// Adds the setting; false: the value is not valid for it.
bool add_setting(Message& message, std::uint32_t number, const std::string& name, const std::string& value) {
  if (name == "mac") {
    ifla_vf_mac mac{number, {}};
    if (!parse_mac(value, mac.mac)) return false;
    message.add(IFLA_VF_MAC, mac);
  } else if (name == "vlan") {
    ifla_vf_vlan vlan{number, 0, 0};
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), vlan.vlan);
    if (error != std::errc{} || end != value.data() + value.size() || vlan.vlan > 4094) return false;
    message.add(IFLA_VF_VLAN, vlan);
  } else if (name == "state") {
    const auto state = parse_link_state(value);
    if (!state) return false;
    message.add(IFLA_VF_LINK_STATE, ifla_vf_link_state{number, *state});
  } else {
    const auto setting = parse_switch(value);
    if (!setting || (name != "trust" && name != "spoofchk")) return false;
    if (name == "trust") message.add(IFLA_VF_TRUST, ifla_vf_trust{number, *setting});
    if (name == "spoofchk") message.add(IFLA_VF_SPOOFCHK, ifla_vf_spoofchk{number, *setting});
  }
  return true;
}

}  // namespace

Bytes vf_query(unsigned interface_index) {
  Message message(RTM_GETLINK, 0, interface_index);
  message.add(IFLA_EXT_MASK, std::uint32_t{RTEXT_FILTER_VF});
  return message.take();
}

std::expected<Bytes, std::string> vf_request(unsigned interface_index, unsigned number, const std::string& name,
                                             const std::string& value) {
  Message message(RTM_SETLINK, NLM_F_ACK, interface_index);
  const auto list = message.open(IFLA_VFINFO_LIST);
  const auto one = message.open(IFLA_VF_INFO);
  if (!add_setting(message, number, name, value)) return std::unexpected("'" + value + "' is no value of " + name);
  message.close(one);
  message.close(list);
  return message.take();
}

std::vector<VfLink> parse_vf_links(std::span<const std::byte> message) {
  std::vector<VfLink> links;
  nlmsghdr header{};
  constexpr std::size_t attributes_at = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(ifinfomsg));
  if (!read(message, header) || header.nlmsg_type != RTM_NEWLINK || header.nlmsg_len > message.size() ||
      header.nlmsg_len < attributes_at) {
    return links;
  }
  for_each_attribute(message.subspan(attributes_at, header.nlmsg_len - attributes_at), [&](unsigned type, auto list) {
    if (type != IFLA_VFINFO_LIST) return;
    for_each_attribute(list, [&](unsigned entry, auto one) {
      if (entry == IFLA_VF_INFO) links.push_back(parse_vf(one));
    });
  });
  return links;
}

}  // namespace wirespool::vf

// SPDX-License-Identifier: BSD-3-Clause
#include "filter/filter_reader.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "format/address_text.hpp"
#include "format/flow_key.hpp"

namespace wirespool::filter {
namespace {

constexpr unsigned deepest = 100;
constexpr std::uint32_t widest_portrange = 64;

using Named = std::pair<std::string_view, std::uint16_t>;
constexpr std::array<Named, 13> protocols{{{"icmp", 1},
                                           {"igmp", 2},
                                           {"igrp", 9},
                                           {"tcp", 6},
                                           {"udp", 17},
                                           {"icmp6", 58},
                                           {"esp", 50},
                                           {"ah", 51},
                                           {"pim", 103},
                                           {"vrrp", 112},
                                           {"carp", 112},
                                           {"sctp", 132},
                                           {"gre", 47}}};
constexpr std::array<Named, 4> ether_types{{{"ip", 0x0800}, {"arp", 0x0806}, {"rarp", 0x8035}, {"ip6", 0x86dd}}};
constexpr std::array<std::string_view, 5> types{"host", "net", "port", "portrange", "proto"};
constexpr std::array<std::string_view, 2> casts{"broadcast", "multicast"};

template <std::size_t N>
std::optional<std::uint16_t> number_of(const std::array<Named, N>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name, &Named::first);
  return found == names.end() ? std::nullopt : std::optional(found->second);
}

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// In pcap-filter(7), a protocol name that is also a keyword is written with a backslash.
std::string_view unescaped(std::string_view word) { return word.starts_with('\\') ? word.substr(1) : word; }

bool is_link_layer(std::string_view word) { return word == "ether" || word == "link"; }
bool is_protocol(std::string_view word) {
  return is_link_layer(word) || number_of(protocols, word) || number_of(ether_types, word);
}

FlowCondition protocol_condition(std::string_view name) {
  if (const auto type = number_of(ether_types, name)) return FlowCondition::has(format::ether_type_key(*type));
  const auto number = number_of(protocols, name);
  if (!number || name == "gre") return FlowCondition::anything();
  return FlowCondition::has(format::protocol_key(static_cast<std::uint8_t>(*number)));
}

// The condition for a prefix whose length lies between two of those that have keys: the shorter one, and any of the
// longer ones inside it.
template <class Key>
FlowCondition prefix_condition(const std::array<unsigned, 4>& prefixes, unsigned bits, Key key) {
  auto condition = FlowCondition::anything();
  if (bits == 0) return condition;  // matches without looking at the address, which may be cut off
  for (const auto prefix : prefixes) {
    if (prefix <= bits) condition = FlowCondition::has(key(0, prefix));
    if (prefix < bits) continue;
    if (prefix == bits || prefix - bits > 8) return condition;
    auto narrower = FlowCondition::has(key(0, prefix));
    for (std::uint32_t i = 1; i < 1u << (prefix - bits); ++i) {
      narrower = FlowCondition::any(std::move(narrower), FlowCondition::has(key(i, prefix)));
    }
    return FlowCondition::all(std::move(condition), std::move(narrower));
  }
  return condition;
}

FlowCondition ipv4_net(std::uint32_t address, unsigned bits) {
  return prefix_condition(format::ipv4_prefixes, bits, [address](std::uint32_t i, unsigned prefix) {
    return format::ipv4_key(address | i << (32 - prefix), prefix);
  });
}

FlowCondition ipv6_net(format::Ipv6Address address, unsigned bits) {
  return prefix_condition(format::ipv6_prefixes, bits, [address](std::uint32_t i, unsigned prefix) {
    auto narrower = address;
    (prefix <= 64 ? narrower.high : narrower.low) |= std::uint64_t{i} << (prefix <= 64 ? 64 - prefix : 128 - prefix);
    return format::ipv6_key(narrower, prefix);
  });
}

FlowCondition host(std::string_view id) {
  const auto v4 = format::parse_ipv4(id);
  if (v4) return v4->bits == 32 ? ipv4_net(v4->address, 32) : FlowCondition::anything();
  if (const auto v6 = format::parse_ipv6(id)) return ipv6_net(*v6, 128);
  return FlowCondition::anything();
}

FlowCondition ports(std::uint32_t from, std::uint32_t to) {
  if (from > to) std::swap(from, to);
  if (to > 0xffff || to - from >= widest_portrange) return FlowCondition::anything();
  auto condition = FlowCondition::has(format::port_key(static_cast<std::uint16_t>(from)));
  while (from++ < to) {
    condition = FlowCondition::any(std::move(condition),
                                   FlowCondition::has(format::port_key(static_cast<std::uint16_t>(from))));
  }
  return condition;
}

FlowCondition port(std::string_view id) {
  const auto number = format::parse_number(id);
  return number ? ports(*number, *number) : FlowCondition::anything();
}

FlowCondition portrange(std::string_view id) {
  const auto dash = id.find('-');
  if (dash == std::string_view::npos) return FlowCondition::anything();
  const auto from = format::parse_number(id.substr(0, dash)), to = format::parse_number(id.substr(dash + 1));
  return from && to ? ports(*from, *to) : FlowCondition::anything();
}

FlowCondition link_protocol(std::string_view id) {
  if (const auto type = number_of(ether_types, id)) return FlowCondition::has(format::ether_type_key(*type));
  const auto number = format::parse_number(id);
  // Below 0x600 it is not an EtherType but something in the LLC header.
  if (!number || *number < 0x600 || *number > 0xffff) return FlowCondition::anything();
  return FlowCondition::has(format::ether_type_key(static_cast<std::uint16_t>(*number)));
}

FlowCondition protocol(std::string_view id) {
  auto number = format::parse_number(id);
  if (const auto named = number_of(protocols, id)) number = *named;
  if (!number || *number > 0xff) return FlowCondition::anything();
  return FlowCondition::has(format::protocol_key(static_cast<std::uint8_t>(*number)));
}

// An address or a number, never a keyword that means something else.
bool can_be_bare(std::string_view word) {
  return !word.empty() && ((word[0] >= '0' && word[0] <= '9') || format::parse_ipv6(word).has_value());
}

// The prefix length of a mask, if its bits are all at the front.
std::optional<std::uint32_t> prefix_of_mask(std::string_view text) {
  const auto mask = format::parse_ipv4(text);
  if (!mask || mask->bits != 32) return std::nullopt;
  const auto bits = static_cast<std::uint32_t>(std::countl_one(mask->address));
  if (bits < 32 && mask->address << bits != 0) return std::nullopt;
  return bits;
}

}  // namespace

FilterReader::FilterReader(std::string_view expression) : tokens_(filter_tokens(expression)) {}

FlowCondition FilterReader::read() {
  if (tokens_.empty()) return FlowCondition::anything();
  auto result = expression(0);
  if (given_up_ || next_ != tokens_.size()) return FlowCondition::anything();
  return std::move(result.condition);
}

std::string_view FilterReader::peek(std::size_t ahead) const {
  return next_ + ahead < tokens_.size() ? tokens_[next_ + ahead] : std::string_view{};
}

std::string_view FilterReader::take() {
  if (next_ == tokens_.size()) given_up_ = true;
  return given_up_ ? std::string_view{} : tokens_[next_++];
}

bool FilterReader::take_if(std::string_view token) {
  const bool there = peek() == token;
  if (there) ++next_;
  return there;
}

FilterReader::Result FilterReader::give_up() {
  given_up_ = true;
  return {};
}

FilterReader::Result FilterReader::expression(unsigned tags) {
  auto left = term(tags);
  while (!given_up_) {
    if (take_if("and")) {
      auto right = term(left.tags);
      left = {FlowCondition::all(std::move(left.condition), std::move(right.condition)), right.tags};
    } else if (take_if("or")) {
      auto right = term(tags);
      left = {FlowCondition::any(std::move(left.condition), std::move(right.condition)), tags};
    } else {
      break;
    }
  }
  return left;
}

FilterReader::Result FilterReader::term(unsigned tags) {
  if (++depth_ > deepest) return give_up();
  Result result;
  if (take_if("not")) {
    term(tags);
    result = {FlowCondition::anything(), tags};
  } else if (begins_comparison()) {
    result = comparison(tags);
  } else if (take_if("(")) {
    // Qualifiers inside do not carry over to a bare address after it.
    const auto outside = last_;
    result = expression(tags);
    if (!take_if(")")) given_up_ = true;
    last_ = outside;
  } else {
    result = primitive(tags);
  }
  --depth_;
  return result;
}

// Whether a comparison of a packet's bytes (expr relop expr) begins here. It may begin with a parenthesis.
bool FilterReader::begins_comparison() const {
  if (peek() != "(") return peek(1) == "[" || is_filter_operator(peek()) || is_filter_operator(peek(1));
  std::size_t open = 0, ahead = 0;
  do {
    if (peek(ahead) == "(") ++open;
    if (peek(ahead) == ")") --open;
    if (peek(ahead).empty()) return false;
    ++ahead;
  } while (open > 0);
  return is_filter_operator(peek(ahead));
}

FilterReader::Result FilterReader::comparison(unsigned tags) {
  for (std::size_t open = 0;; ++next_) {
    const auto token = peek();
    if (token.empty() || (open == 0 && (token == "and" || token == "or" || token == ")"))) break;
    if (token == "(") ++open;
    if (token == ")") --open;
  }
  return {FlowCondition::anything(), tags};
}

// A primitive may be used only if it looks at the fields that the keys come from.
FilterReader::Result FilterReader::usable(FlowCondition condition, unsigned tags) const {
  return {tags == vlans_ ? std::move(condition) : FlowCondition::anything(), tags};
}

FilterReader::Result FilterReader::vlan(unsigned tags) {
  auto condition = FlowCondition::has(format::tagged_key());
  if (const auto id = format::parse_number(peek())) {
    take();
    condition =
        *id < 4096 ? FlowCondition::has(format::vlan_key(static_cast<std::uint16_t>(*id))) : FlowCondition::anything();
  }
  auto result = usable(std::move(condition), tags);
  if (tags == vlans_) ++result.tags;
  ++vlans_;
  return result;
}

FilterReader::Result FilterReader::primitive(unsigned tags) {
  const auto word = peek();
  if (take_if("vlan")) return vlan(tags);
  if (take_if("greater") || take_if("less")) return take(), Result{FlowCondition::anything(), tags};
  if (contains(casts, word)) return take(), Result{FlowCondition::anything(), tags};
  Qualifiers qualifiers;
  if (is_protocol(word)) qualifiers.protocol = take();
  if (contains(casts, peek())) return take(), Result{FlowCondition::anything(), tags};
  const bool direction = peek() == "src" || peek() == "dst";
  if (direction) take_direction();
  if (contains(types, peek())) qualifiers.type = take();
  if (!qualifiers.protocol.empty() && !direction && qualifiers.type.empty()) {
    if (is_link_layer(qualifiers.protocol)) return give_up();
    return usable(protocol_condition(qualifiers.protocol), tags);
  }
  const bool bare = qualifiers.protocol.empty() && !direction && qualifiers.type.empty();
  if (bare && (last_.type.empty() || !can_be_bare(word))) return give_up();
  // "src 10.0.0.1" is a host.
  if (!bare && qualifiers.type.empty()) qualifiers.type = "host";
  if (!bare) last_ = qualifiers;
  return usable(qualified(last_), tags);
}

// src, dst, "src or dst", "src and dst": the keys do not tell the two ends apart.
void FilterReader::take_direction() {
  take();
  const bool joined = peek() == "or" || peek() == "and";
  if (joined && (peek(1) == "src" || peek(1) == "dst")) {
    take();
    take();
  }
}

FlowCondition FilterReader::qualified(Qualifiers qualifiers) {
  const auto id = unescaped(take());
  const bool is_word = !id.empty() && id != "(" && id != ")" && id != "and" && id != "or" && id != "not" &&
                       !is_filter_operator(id) && id != "[" && id != "]";
  // "host (a or b)", and words that this reader does not know.
  if (!is_word || (qualifiers.type != "proto" && (is_protocol(id) || contains(types, id)))) return give_up().condition;
  auto condition = identified(qualifiers, id);
  if (is_link_layer(qualifiers.protocol)) return condition;
  return FlowCondition::all(protocol_condition(qualifiers.protocol), std::move(condition));
}

FlowCondition FilterReader::identified(Qualifiers qualifiers, std::string_view id) {
  if (qualifiers.type == "proto") return is_link_layer(qualifiers.protocol) ? link_protocol(id) : protocol(id);
  if (is_link_layer(qualifiers.protocol)) return FlowCondition::anything();
  if (qualifiers.type == "host") return host(id);
  if (qualifiers.type == "net") return net(id);
  if (qualifiers.type == "port") return port(id);
  return portrange(id);
}

// "net 192.168", "net 10.0.0.0/8", "net 10.0.0.0 mask 255.0.0.0", "net 2001:db8::/32".
FlowCondition FilterReader::net(std::string_view id) {
  const auto slash = std::min(id.find('/'), id.size());
  std::optional<std::uint32_t> bits;
  if (slash < id.size()) {
    bits = format::parse_number(id.substr(slash + 1));
    if (!bits) return FlowCondition::anything();
  } else if (take_if("mask")) {
    bits = prefix_of_mask(take());
    if (!bits) return FlowCondition::anything();
  }
  const auto address = id.substr(0, slash);
  if (const auto v4 = format::parse_ipv4(address)) {
    // A network that begins with zeros and has no mask is read differently by libpcap ("Promote short net number").
    if (!bits && v4->address >> 24 == 0) return FlowCondition::anything();
    return bits.value_or(0) <= 32 ? ipv4_net(v4->address, bits.value_or(v4->bits)) : FlowCondition::anything();
  }
  const auto v6 = format::parse_ipv6(address);
  return v6 && bits.value_or(0) <= 128 ? ipv6_net(*v6, bits.value_or(128)) : FlowCondition::anything();
}

}  // namespace wirespool::filter

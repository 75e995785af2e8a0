// SPDX-License-Identifier: BSD-3-Clause
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "filter/compiled.hpp"
#include "format/address_text.hpp"
#include "format/community_id.hpp"
#include "format/protocols.hpp"
#include "format/tunnels.hpp"

namespace wirespool::filter {
namespace {

using format::FlowCondition;
using format::FlowEnds;

// The two ends of a packet's outermost IP header, whatever its link type.
std::optional<FlowEnds> ends_of(const PacketView& packet, std::uint32_t linktype) {
  const auto layer = format::outer_layer(packet.bytes, linktype);
  return layer ? format::flow_ends(packet.bytes, *layer) : std::nullopt;
}

std::expected<void, Error> has_layers(const std::string& text, std::uint32_t linktype) {
  if (format::has_network_layer(linktype)) return {};
  return std::unexpected(
      Error{text, "no addresses are looked for in such packets", "use --filter, if libpcap knows this link type"});
}

class Flow : public Matcher {
 public:
  Flow(std::string text, const FlowEnds& ends, bool both_ways)
      : text_(std::move(text)), ends_(ends), both_ways_(both_ways) {}
  std::unique_ptr<Matcher> copy() const override { return std::make_unique<Flow>(*this); }

  std::expected<void, Error> supports(std::uint32_t linktype) override { return has_layers(text_, linktype); }

  bool matches(const PacketView& packet, std::uint32_t linktype) override {
    const auto ends = ends_of(packet, linktype);
    if (!ends || !ends->has_ports || ends->is_ipv6 != ends_.is_ipv6) return false;
    if (!format::has_ports(ends->protocol)) return false;
    return goes(*ends, 0, 1) || (both_ways_ && goes(*ends, 1, 0));
  }

 private:
  bool goes(const FlowEnds& ends, std::size_t from, std::size_t to) const {
    return ends.addresses[from] == ends_.addresses[0] && ends.ports[from] == ends_.ports[0] &&
           ends.addresses[to] == ends_.addresses[1] && ends.ports[to] == ends_.ports[1];
  }

  std::string text_;
  FlowEnds ends_;
  bool both_ways_;
};

// Hashing takes longer than reading a packet, and packets of a flow come close together: the results for recent ends
// are kept.
class ByCommunityId : public Matcher {
 public:
  ByCommunityId(std::string text, const format::CommunityId& id)
      : text_(std::move(text)), id_(id), recent_(kept, {{}, format::community_id({}) == id}) {}
  std::unique_ptr<Matcher> copy() const override { return std::make_unique<ByCommunityId>(*this); }

  std::expected<void, Error> supports(std::uint32_t linktype) override { return has_layers(text_, linktype); }

  bool matches(const PacketView& packet, std::uint32_t linktype) override {
    const auto ends = ends_of(packet, linktype);
    if (!ends) return false;
    auto& recent = recent_[slot_of(*ends)];
    if (recent.ends != *ends) recent = {*ends, format::community_id(*ends) == id_};
    return recent.matches;
  }

 private:
  static constexpr std::size_t kept = 4096;
  struct Recent {
    FlowEnds ends;
    bool matches = false;
  };

  static std::size_t slot_of(const FlowEnds& ends) {
    const auto mixed = (ends.addresses[0].low ^ ends.addresses[0].high) * 0x9e3779b97f4a7c15 ^
                       (ends.addresses[1].low ^ ends.addresses[1].high) * 0xc2b2ae3d27d4eb4f ^
                       (std::uint64_t{ends.ports[0]} << 16 | ends.ports[1]) * 0x165667b19e3779f9;
    return (mixed >> 40) % kept;
  }

  std::string text_;
  format::CommunityId id_;
  std::vector<Recent> recent_;
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

struct End {
  format::Ipv6Address address;
  std::uint16_t port = 0;
  bool is_ipv6 = false;
};

// "10.0.0.1:443", "[2001:db8::1]:443".
std::optional<End> parse_end(std::string_view text) {
  End end;
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = text.substr(colon + 1);
  const auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), end.port);
  if (error != std::errc{} || stop != port.data() + port.size()) return std::nullopt;
  const auto host = text.substr(0, colon);
  end.is_ipv6 = host.starts_with('[') && host.ends_with(']');
  if (end.is_ipv6) {
    const auto address = format::parse_ipv6(host.substr(1, host.size() - 2));
    if (!address) return std::nullopt;
    end.address = *address;
    return end;
  }
  const auto address = format::parse_ipv4(host);
  if (!address || address->bits != 32) return std::nullopt;
  end.address.low = address->address;
  return end;
}

}  // namespace

std::expected<Compiled, Error> flow(std::string_view text) {
  const auto refused = [text](std::string why) {
    return std::unexpected(Error{std::string(text), std::move(why),
                                 "write 10.0.0.1:443 > 10.0.0.2:51000, [2001:db8::1]:443 > [2001:db8::2]:51000, or <> "
                                 "for both directions; other flows are --filter's"});
  };
  const auto arrow = text.find('>');
  if (arrow == std::string_view::npos) return refused("there is no > or <> between two ends");
  const bool both_ways = arrow > 0 && text[arrow - 1] == '<';
  const auto from = parse_end(trimmed(text.substr(0, arrow - (both_ways ? 1 : 0))));
  const auto to = parse_end(trimmed(text.substr(arrow + 1)));
  if (!from || !to) return refused(std::string(from ? "behind" : "before") + " the > is no address with a port");
  if (from->is_ipv6 != to->is_ipv6) return refused("one end is of IPv4 and the other of IPv6");
  const FlowEnds ends{{from->address, to->address}, {from->port, to->port}, 0, from->is_ipv6, true};
  return Compiled{std::string(text), format::may_have_ends(ends),
                  std::make_unique<Flow>(std::string(text), ends, both_ways)};
}

std::expected<Compiled, Error> community_id(std::string_view text) {
  const auto id = format::CommunityId::parse(text);
  if (!id) {
    return std::unexpected(Error{std::string(text), "it is no Community ID of version 1",
                                 "give \"1:\" and 28 characters, as 1:LQU9qZlK+B5F3KDmev6m5PMibrg="});
  }
  return Compiled{std::string(text), FlowCondition::anything(),
                  std::make_unique<ByCommunityId>(std::string(text), *id)};
}

}  // namespace wirespool::filter

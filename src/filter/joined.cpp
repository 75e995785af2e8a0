// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "filter/compiled.hpp"
#include "format/bytes.hpp"
#include "format/pcap.hpp"
#include "format/tunnels.hpp"

namespace wirespool::filter {
namespace {

using format::FlowCondition;
using format::NetworkLayer;

enum class Join { all, any };

class Joined : public Matcher {
 public:
  Joined(Join join, std::unique_ptr<Matcher> a, std::unique_ptr<Matcher> b)
      : join_(join), a_(std::move(a)), b_(std::move(b)) {}
  std::unique_ptr<Matcher> copy() const override { return std::make_unique<Joined>(join_, a_->copy(), b_->copy()); }

  std::expected<void, Error> supports(std::uint32_t linktype) override {
    auto supported = a_->supports(linktype);
    return supported ? b_->supports(linktype) : supported;
  }

  bool matches(const PacketView& packet, std::uint32_t linktype) override {
    const bool first = a_->matches(packet, linktype);
    return first == (join_ == Join::any) ? first : b_->matches(packet, linktype);
  }

 private:
  Join join_;
  std::unique_ptr<Matcher> a_, b_;
};

constexpr std::uint32_t linktype_raw = 101;

// Matches if the packet does, or any that it carries.
class InsideToo : public Matcher {
 public:
  InsideToo(std::string text, std::unique_ptr<Matcher> one) : text_(std::move(text)), one_(std::move(one)) {}
  std::unique_ptr<Matcher> copy() const override { return std::make_unique<InsideToo>(text_, one_->copy()); }

  std::expected<void, Error> supports(std::uint32_t linktype) override {
    if (format::has_network_layer(linktype)) return one_->supports(linktype);
    return std::unexpected(Error{text_, "tunnels are not looked into in such packets", "leave --inner out"});
  }

  bool matches(const PacketView& packet, std::uint32_t linktype) override {
    if (one_->matches(packet, linktype)) return true;
    auto layer = format::outer_layer(packet.bytes, linktype);
    for (unsigned depth = 0; layer && depth < deepest; ++depth) {
      layer = format::inner_layer(packet.bytes, *layer);
      if (layer && matches_at(packet, *layer)) return true;
    }
    return false;
  }

 private:
  // Bounds what a hostile packet of 64 KiB can cost.
  static constexpr unsigned deepest = 8;

  bool matches_at(const PacketView& packet, const NetworkLayer& layer) {
    const auto ahead = layer.has_ethernet() ? layer.link + (layer.network - layer.link_end) : layer.network;
    const auto wirelen = packet.wirelen - std::min(packet.wirelen, static_cast<std::uint32_t>(ahead));
    PacketView view{packet.time, wirelen, packet.bytes.subspan(layer.link)};
    if (!layer.has_ethernet()) return one_->matches(view, linktype_raw);
    if (layer.network != layer.link_end) view.bytes = without_tunnel(packet.bytes, layer);
    return one_->matches(view, format::linktype_ethernet);
  }

  // The Ethernet header in front of the tunnel, with the EtherType of what the tunnel carries, followed by that.
  std::span<const std::byte> without_tunnel(std::span<const std::byte> packet, const NetworkLayer& layer) {
    cut_.assign(packet.begin() + static_cast<std::ptrdiff_t>(layer.link),
                packet.begin() + static_cast<std::ptrdiff_t>(layer.link_end));
    const auto type = format::swap_bytes(layer.ether_type);
    std::memcpy(cut_.data() + cut_.size() - sizeof type, &type, sizeof type);
    cut_.insert(cut_.end(), packet.begin() + static_cast<std::ptrdiff_t>(layer.network), packet.end());
    return cut_;
  }

  std::string text_;
  std::unique_ptr<Matcher> one_;
  std::vector<std::byte> cut_;
};

Compiled joined(Join join, const char* word, Compiled a, Compiled b) {
  auto condition = join == Join::all ? FlowCondition::all(std::move(a.condition), std::move(b.condition))
                                     : FlowCondition::any(std::move(a.condition), std::move(b.condition));
  return {"(" + a.expression + ") " + word + " (" + b.expression + ")", std::move(condition),
          std::make_unique<Joined>(join, std::move(a.matcher), std::move(b.matcher))};
}

}  // namespace

Compiled all(Compiled a, Compiled b) { return joined(Join::all, "and", std::move(a), std::move(b)); }
Compiled any(Compiled a, Compiled b) { return joined(Join::any, "or", std::move(a), std::move(b)); }

Compiled inside_too(Compiled outside) {
  auto condition = FlowCondition::any(std::move(outside.condition), format::may_have_inner_layer());
  auto matcher = std::make_unique<InsideToo>(outside.expression, std::move(outside.matcher));
  return {std::move(outside.expression), std::move(condition), std::move(matcher)};
}

}  // namespace wirespool::filter

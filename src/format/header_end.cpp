// SPDX-License-Identifier: BSD-3-Clause
#include "format/header_end.hpp"

#include <charconv>

#include "format/pcap.hpp"
#include "format/protocols.hpp"

namespace wirespool::format {
namespace {

constexpr unsigned most_headers = 32;

// What comes next.
enum class Kind { nothing, ethernet, ether_type, mpls, ip, protocol, gre, udp };
struct Next {
  Kind kind = Kind::nothing;
  unsigned number = 0;  // EtherType or IP protocol
};

// Goes from header to header. Each step takes at least one byte or ends.
class Walk {
 public:
  Walk(std::span<const std::byte> frame, Layer layer) noexcept : frame_(frame), layer_(layer) {}

  std::uint32_t run() noexcept {
    Next next{Kind::ethernet};
    for (unsigned headers = 0; headers < most_headers && next.kind != Kind::nothing; ++headers) next = step(next);
    return static_cast<std::uint32_t>(end_);
  }

 private:
  Next step(Next next) noexcept {
    switch (next.kind) {
      case Kind::ethernet:
        return take(14, Layer::l2) ? Next{Kind::ether_type, u16(-2)} : Next{};
      case Kind::ether_type:
        return after_ether_type(next.number);
      case Kind::mpls:
        return mpls();
      case Kind::ip:
        return layer_ == Layer::l2 ? Next{} : ip();
      case Kind::protocol:
        return after_protocol(next.number);
      case Kind::gre:
        return gre();
      case Kind::udp:
        return udp();
      case Kind::nothing:
        break;
    }
    return {};
  }

  Next after_ether_type(unsigned type) noexcept {
    if (is_tag(static_cast<std::uint16_t>(type))) return take(4, Layer::l2) ? Next{Kind::ether_type, u16(-2)} : Next{};
    switch (type) {
      case ether_types::ipv4:
      case ether_types::ipv6:
        return {Kind::ip};
      case ether_types::arp:
      case ether_types::rarp:
        return layer_ == Layer::l2 ? Next{} : arp();
      case ether_types::mpls:
      case ether_types::mpls_multicast:
        return {Kind::mpls};
      case ether_types::pppoe:  // and behind it the PPP protocol
        return take(8, Layer::l2) && (u16(-2) == ppp_types::ipv4 || u16(-2) == ppp_types::ipv6) ? Next{Kind::ip}
                                                                                                : Next{};
      case ether_types::bridging:
        return {Kind::ethernet};
      default:
        return {};
    }
  }

  Next arp() noexcept {
    if (has(8, Layer::l3)) take(8 + 2u * (u8(4) + u8(5)), Layer::l3);
    return {};
  }

  // One label. Behind the last one an IP version, or the control word of RFC 4448 with nothing but a sequence in it.
  Next mpls() noexcept {
    if (!take(4, Layer::l2)) return {};
    const bool last = (u8(-2) & 1) != 0;
    if (!last) return {Kind::mpls};
    if (left() < 4) return {};
    if (u8(0) >> 4 == 4 || u8(0) >> 4 == 6) return {Kind::ip};
    return u16(0) == 0 && take(4, Layer::l2) ? Next{Kind::ethernet} : Next{};
  }

  Next ip() noexcept {
    if (!has(1, Layer::l3)) return {};
    const unsigned version = u8(0) >> 4;
    return version == 4 ? ipv4() : version == 6 ? ipv6() : Next{};
  }

  Next ipv4() noexcept {
    if (!has(20, Layer::l3)) return {};
    const std::size_t bytes = 4u * (u8(0) & 0xf);
    const unsigned protocol = u8(9);
    const bool begins = (u16(6) & 0x1fff) == 0;  // no later fragment
    return bytes >= 20 && take(bytes, Layer::l3) && begins ? Next{Kind::protocol, protocol} : Next{};
  }

  Next ipv6() noexcept {
    const bool whole = take(40, Layer::l3);
    return whole ? Next{Kind::protocol, u8(-34)} : Next{};
  }

  Next after_protocol(unsigned protocol) noexcept {
    if (protocol == protocols::fragment) return fragment();
    if (is_extension(static_cast<std::uint8_t>(protocol))) return extension(static_cast<std::uint8_t>(protocol));
    switch (protocol) {
      case protocols::ip_in_ip:
      case protocols::ipv6_in_ip:
        return {Kind::ip};
      case protocols::mpls_in_ip:
        return {Kind::mpls};
      case protocols::gre:
        return {Kind::gre};
      case protocols::udp:
        return {Kind::udp};
      default:
        end_in(protocol);
        return {};
    }
  }

  Next extension(std::uint8_t type) noexcept {
    if (!has(2, Layer::l3)) return {};
    const unsigned protocol = u8(0);
    return take(extension_bytes(type, u8(1)), Layer::l3) ? Next{Kind::protocol, protocol} : Next{};
  }

  Next fragment() noexcept {
    if (!take(8, Layer::l3)) return {};
    const bool begins = (u16(-6) & 0xfff8) == 0;
    return begins ? Next{Kind::protocol, u8(-8)} : Next{};
  }

  // Protocols that nothing is looked for behind.
  void end_in(unsigned protocol) noexcept {
    if (layer_ != Layer::l4) return;
    switch (protocol) {
      case protocols::tcp:
        if (has(20, Layer::l4) && u8(12) >> 4 >= 5) take(4u * (u8(12) >> 4), Layer::l4);
        break;
      case protocols::dccp:
        if (has(12, Layer::l4) && u8(4) >= 3) take(4u * u8(4), Layer::l4);
        break;
      case protocols::sctp:  // without its chunks
        take(12, Layer::l4);
        break;
      case protocols::icmp:
      case protocols::igmp:
      case protocols::encrypted:
      case protocols::icmp6:
      case protocols::udp_lite:
        take(8, Layer::l4);
        break;
      default:
        break;
    }
  }

  // RFC 2784 with the key and sequence of RFC 2890; RFC 2637 (version 1) ends with its own header.
  Next gre() noexcept {
    if (!has(4, Layer::l4)) return {};
    const unsigned flags = u16(0), version = flags & 7, type = u16(2);
    if (version > 1 || flags & 0x4000) return {};
    const auto four_if = [flags](unsigned bit) { return flags & bit ? 4u : 0u; };
    std::size_t bytes = 4 + four_if(0x8000) + four_if(0x2000) + four_if(0x1000);
    if (version == 1) bytes += four_if(0x0080);
    return take(bytes, Layer::l4) && version == 0 ? Next{Kind::ether_type, type} : Next{};
  }

  Next udp() noexcept {
    if (!take(8, Layer::l4) || left() < 8) return {};
    const unsigned from = u16(-8), to = u16(-6);
    if (to == udp_ports::vxlan || to == udp_ports::old_vxlan) return vxlan();
    if (to == udp_ports::geneve) return geneve();
    if (to == udp_ports::gtp_u || from == udp_ports::gtp_u) return gtp_u();
    return {};
  }

  // What only looks like a tunnel's header is payload: nothing is taken of it.
  Next vxlan() noexcept {
    const bool has_id = (u8(0) & 0x08) != 0;
    return has_id && left() >= 8 && take(8, Layer::l4) ? Next{Kind::ethernet} : Next{};
  }

  Next geneve() noexcept {
    const unsigned version = u8(0) >> 6, type = u16(2);
    const std::size_t bytes = 8 + 4u * (u8(0) & 0x3f);
    return version == 0 && left() >= bytes && take(bytes, Layer::l4) ? Next{Kind::ether_type, type} : Next{};
  }

  Next gtp_u() noexcept {
    constexpr unsigned version_1 = 0x30, packet = 255;
    if ((u8(0) & 0xf0) != version_1 || u8(1) != packet) return {};
    const bool has_options = (u8(0) & 7) != 0;
    const std::size_t bytes = has_options ? 12 : 8;
    if (left() < bytes) return {};
    unsigned extension = u8(0) & 4 ? u8(11) : 0;
    take(bytes, Layer::l4);
    while (extension != 0) {
      const std::size_t more = left() == 0 ? 0 : 4u * u8(0);
      if (more == 0 || left() < more) return {};
      take(more, Layer::l4);
      extension = u8(-1);
    }
    return {Kind::ip};
  }

  std::size_t left() const noexcept { return frame_.size() - at_; }

  // Of a header of `layer`: whether so much of it is there. If not, what there is of it is header.
  bool has(std::size_t bytes, Layer layer) noexcept {
    if (left() >= bytes) return true;
    if (layer <= layer_) end_ = frame_.size();
    return false;
  }

  bool take(std::size_t bytes, Layer layer) noexcept {
    if (!has(bytes, layer)) return false;
    at_ += bytes;
    if (layer <= layer_) end_ = at_;
    return true;
  }

  // Counted from where the next header begins; the callers know that they are there.
  unsigned u8(std::ptrdiff_t offset) const noexcept {
    return std::to_integer<unsigned>(frame_[at_ + static_cast<std::size_t>(offset)]);
  }
  unsigned u16(std::ptrdiff_t offset) const noexcept { return u8(offset) << 8 | u8(offset + 1); }

  std::span<const std::byte> frame_;
  Layer layer_;
  std::size_t at_ = 0;   // where the next header begins
  std::size_t end_ = 0;  // of the last one that counts
};

}  // namespace

std::uint32_t header_end(std::span<const std::byte> frame, Layer layer) noexcept { return Walk(frame, layer).run(); }

std::optional<Slice> slice_of(std::string_view text) {
  if (text == "l2") return Slice{.layer = Layer::l2};
  if (text == "l3") return Slice{.layer = Layer::l3};
  if (text == "l4") return Slice{.layer = Layer::l4};
  Slice slice;
  const auto* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, slice.bytes);
  const bool number = error == std::errc() && at == end;
  if (!number || slice.bytes == 0 || slice.bytes > max_snaplen) return std::nullopt;
  return slice;
}

std::string text_of(const Slice& slice) {
  if (!slice.layer) return std::to_string(slice.bytes);
  return *slice.layer == Layer::l2 ? "l2" : *slice.layer == Layer::l3 ? "l3" : "l4";
}

}  // namespace wirespool::format

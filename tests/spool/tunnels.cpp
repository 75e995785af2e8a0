// SPDX-License-Identifier: BSD-3-Clause
#include "spool/tunnels.hpp"

#include <array>
#include <utility>

#include "support/frame.hpp"

namespace wirespool::test {
namespace {

using Bytes = std::vector<std::byte>;

constexpr unsigned ipv4 = 0x0800, ipv6 = 0x86dd, mpls = 0x8847, pppoe = 0x8864, ethernet = 0x6558;

// What a tunnel carries: bytes, and the EtherType of what they begin with.
struct Piece {
  Bytes bytes;
  unsigned type = ipv4;
  bool is_ip() const { return type == ipv4 || type == ipv6; }
};

void append(FrameBuilder& frame, const Bytes& bytes) {
  for (const auto byte : bytes) frame.u8(static_cast<unsigned>(byte));
}

class Maker {
 public:
  Maker(Random& random, bool tidy) : random_(random), tidy_(tidy) {}

  Bytes frame(unsigned tunnels) {
    auto piece = ip(transport());
    for (; tunnels > 0; --tunnels) piece = wrapped(std::move(piece));
    auto bytes = piece.type == ethernet ? std::move(piece.bytes) : framed(std::move(piece));
    if (!tidy_ && random_.below(12) == 0) bytes.resize(1 + random_.below(bytes.size()));
    if (!tidy_ && random_.below(12) == 0)
      bytes[random_.below(bytes.size())] ^= static_cast<std::byte>(1u << random_.below(8));
    return bytes;
  }

 private:
  unsigned one_of(std::initializer_list<unsigned> choices) {
    return *(choices.begin() + random_.below(choices.size()));
  }
  std::uint32_t host() { return 0x0a000000 + static_cast<std::uint32_t>(random_.below(24)); }
  unsigned port() { return one_of({80, 443, 8000, 40000, 50000}); }

  // A protocol number and what it puts behind an IP header.
  std::pair<unsigned, Bytes> transport() {
    FrameBuilder frame;
    const auto protocol = one_of({6, 6, 17, 17, 132, 1});
    if (protocol == 1) {
      frame.u16(one_of({0x0800, 0x0000, 0x0d00, 0x0e00}));
      frame.fill(32, random_.next());  // a timestamp message has 20 bytes
      return {protocol, frame.bytes()};
    }
    frame.u16(port());
    frame.u16(port());
    if (protocol == 17) {
      frame.u16(16);
      frame.u16(0);
      frame.fill(16, random_.next());
    } else if (protocol == 6) {
      frame.u64(random_.next());
      frame.u16(0x5010);
      frame.fill(24, random_.next());
    } else {
      frame.u64(random_.next());
    }
    return {protocol, frame.bytes()};
  }

  Piece ip(const std::pair<unsigned, Bytes>& payload) {
    FrameBuilder frame;
    const auto& [protocol, bytes] = payload;
    if (random_.below(3) != 0 || protocol == 1) {
      frame.ipv4(static_cast<unsigned>(20 + bytes.size()), protocol, host(), host());
      append(frame, bytes);
      auto made = frame.bytes();
      if (!tidy_ && random_.below(15) == 0)
        made[6] = static_cast<std::byte>(random_.below(2) << 5), made[7] = std::byte{5};
      return {std::move(made), ipv4};
    }
    const bool options = random_.below(4) == 0;
    frame.ipv6(static_cast<unsigned>(bytes.size() + (options ? 8 : 0)), options ? 60 : protocol, host(), host());
    if (options) frame.u64(std::uint64_t{protocol} << 56 | 0x0104'0000'0000);  // destination options: PadN
    append(frame, bytes);
    return {frame.bytes(), ipv6};
  }

  Bytes framed(const Piece& piece) {
    FrameBuilder frame;
    frame.mac_addresses(random_.below(16));
    for (auto tags = random_.below(6); tags > 3; --tags) {
      frame.u16(one_of({0x8100, 0x88a8}));
      frame.u16(static_cast<unsigned>(1 + random_.below(4)));
    }
    frame.u16(piece.type);
    append(frame, piece.bytes);
    return frame.bytes();
  }

  Piece as_ethernet(Piece piece) {
    if (piece.type == ethernet) return piece;
    return {framed(piece), ethernet};
  }

  Piece in_udp(unsigned port, const FrameBuilder& payload) {
    FrameBuilder frame;
    frame.udp(static_cast<unsigned>(8 + payload.size()), 49152, port);
    append(frame, payload.bytes());
    return ip({17, frame.bytes()});
  }

  Piece in_vxlan(Piece piece) {
    FrameBuilder frame;
    frame.u32(0x08000000);
    frame.u32(random_.below(1 << 24) << 8);
    append(frame, as_ethernet(std::move(piece)).bytes);
    return in_udp(tidy_ || random_.below(4) != 0 ? 4789 : 8472, frame);
  }

  Piece in_gre(const Piece& piece) {
    FrameBuilder frame;
    const auto flags = one_of({0, 0x2000, 0x1000, 0x3000});
    frame.u16(flags);
    frame.u16(piece.type);
    if ((flags & 0x2000) != 0) frame.u32(7);
    if ((flags & 0x1000) != 0) frame.u32(1);
    append(frame, piece.bytes);
    return ip({47, frame.bytes()});
  }

  Piece in_geneve(const Piece& piece) {
    FrameBuilder frame;
    const auto options = static_cast<unsigned>(random_.below(3));
    frame.u8(options);
    frame.u8(0);
    frame.u16(piece.type);
    frame.u32(0x00000100);
    for (unsigned i = 0; i < options; ++i) frame.u32(0xfff00000);  // an experimental class, no more bytes
    append(frame, piece.bytes);
    return in_udp(6081, frame);
  }

  Piece in_gtp_u(const Piece& piece) {
    FrameBuilder frame;
    const bool extended = random_.below(3) == 0;
    frame.u8(extended ? 0x34 : 0x30);
    frame.u8(255);
    frame.u16(static_cast<unsigned>(piece.bytes.size() + (extended ? 8 : 0)));
    frame.u32(1 + random_.below(9));
    if (extended) {
      frame.u32(0x00000085);  // sequence, N-PDU, next: PDU session container
      frame.u32(0x01001000);  // four bytes of it, and none behind
    }
    append(frame, piece.bytes);
    return in_udp(2152, frame);
  }

  Piece in_mpls(const Piece& piece) {
    FrameBuilder frame;
    for (auto labels = random_.below(2); labels > 0; --labels) frame.u32((1000 + labels) << 12 | 0x40);
    frame.u32(1000u << 12 | 0x140);  // bottom of the stack
    if (piece.type == ethernet) frame.u32(0);
    append(frame, piece.bytes);
    return {frame.bytes(), mpls};
  }

  Piece in_pppoe(const Piece& piece) {
    FrameBuilder frame;
    frame.u16(0x1100);
    frame.u16(3);
    frame.u16(static_cast<unsigned>(piece.bytes.size() + 2));
    frame.u16(piece.type == ipv4 ? 0x0021 : 0x0057);
    append(frame, piece.bytes);
    return {frame.bytes(), pppoe};
  }

  Piece wrapped(Piece piece) {
    // PPPoE is in an Ethernet frame always.
    if (piece.type == pppoe || (piece.type == mpls && random_.below(2) == 0)) piece = as_ethernet(std::move(piece));
    if (!tidy_ && piece.is_ip() && random_.below(8) == 0) return ip({piece.type == ipv4 ? 4u : 41u, piece.bytes});
    if (piece.is_ip() && random_.below(5) == 0) return in_pppoe(piece);
    if (piece.is_ip() && random_.below(4) == 0) return in_gtp_u(piece);
    if (piece.is_ip() && random_.below(3) == 0) return in_mpls(piece);
    switch (random_.below(4)) {
      case 0:
        return in_vxlan(std::move(piece));
      case 1:
        return in_geneve(piece);
      case 2:
        return piece.type == ethernet && !tidy_ ? in_mpls(piece) : in_gre(piece);
      default:
        return in_gre(piece);
    }
  }

  Random& random_;
  bool tidy_;
};

}  // namespace

Trace random_tunnels(Random& random, std::size_t packets, const TunnelTraffic& traffic) {
  Trace trace;
  Maker maker(random, traffic.tidy);
  std::uint64_t time = 1'767'225'600'000'000'000;
  for (std::size_t i = 0; i < packets; ++i) {
    const bool tunnelled = random.below(100) < traffic.tunnelled_of_100;
    const auto frame = maker.frame(tunnelled ? 1 + static_cast<unsigned>(random.below(3)) : 0);
    trace.append(Timestamp{time += 1 + random.below(1000)}, frame, static_cast<std::uint32_t>(frame.size()));
  }
  return trace;
}

}  // namespace wirespool::test

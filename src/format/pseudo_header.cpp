// SPDX-License-Identifier: BSD-3-Clause
#include "format/pseudo_header.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "format/bytes.hpp"

namespace wirespool::format {
namespace {

// LINKTYPE_ numbers of tcpdump.org.
enum Linktype : std::uint32_t {
  bsd_loopback = 0,
  openbsd_enc = 109,
  linux_sll = 113,
  openbsd_pflog = 117,
  linux_usb = 189,
  linux_usb_mmapped = 220,
  nflog = 239,
  linux_sll2 = 276,
};

using Packet = std::span<std::byte>;

template <class T>
void swap_at(Packet packet, std::size_t offset) noexcept {
  if (packet.size() < offset + sizeof(T)) return;
  std::reverse(packet.begin() + static_cast<std::ptrdiff_t>(offset),
               packet.begin() + static_cast<std::ptrdiff_t>(offset + sizeof(T)));
}

void swap_words(Packet packet, std::initializer_list<std::size_t> offsets) noexcept {
  for (const auto offset : offsets) swap_at<std::uint32_t>(packet, offset);
}

// After a cooked header, a CAN frame begins with fields in the kernel's byte order; other protocols are as on the wire.
void swap_can(Packet packet, std::size_t protocol_at, std::size_t can_at) noexcept {
  constexpr std::uint16_t can = 0x000c, can_fd = 0x000d, can_xl = 0x000e;  // ETH_P_CAN and so on
  if (packet.size() < protocol_at + 2) return;
  const auto protocol = swap_bytes(load<std::uint16_t>(packet, protocol_at));  // big-endian in any file
  if (protocol == can || protocol == can_fd) swap_words(packet, {can_at});
  if (protocol != can_xl) return;
  swap_words(packet, {can_at, can_at + 8});
  swap_at<std::uint16_t>(packet, can_at + 6);
}

// The descriptors of an isochronous transfer; only the longer header has any.
void swap_usb_descriptors(Packet packet) noexcept {
  constexpr std::size_t count_at = 60, header = 64, descriptor = 16;
  if (packet.size() < header) return;
  auto count = load<std::uint32_t>(packet, count_at);
  for (auto at = header; count > 0 && at < packet.size(); at += descriptor, --count)
    swap_words(packet, {at, at + 4, at + 8});
}

// struct mon_bin_hdr of Linux: 48 bytes, or 64 in front of what was read through mmap(2).
void swap_usb(Packet packet, bool mmapped) noexcept {
  constexpr std::size_t transfer_type_at = 9;
  constexpr std::byte isochronous{0};
  swap_at<std::uint64_t>(packet, 0);
  swap_at<std::uint16_t>(packet, 12);
  swap_at<std::uint64_t>(packet, 16);
  swap_words(packet, {24, 28, 32, 36});
  const bool iso = packet.size() > transfer_type_at && packet[transfer_type_at] == isochronous;
  if (iso) swap_words(packet, {40, 44});  // else a setup packet, as on the bus
  if (!mmapped) return;
  swap_words(packet, {48, 52, 56, 60});
  if (iso) swap_usb_descriptors(packet);
}

// User and process ids, if the header's first byte, its length, says that there are any: older headers are shorter.
// Rule numbers are as on the wire.
void swap_pflog(Packet packet) noexcept {
  if (packet.empty()) return;
  const auto header = packet.first(std::min(packet.size(), std::to_integer<std::size_t>(packet[0])));
  swap_words(header, {44, 48, 52, 56});
}

// Type, length and value, after four bytes of header; version 0 only.
void swap_nflog(Packet packet) noexcept {
  constexpr std::size_t header = 4, tlv_header = 4;
  if (packet.size() < header || packet[1] != std::byte{0}) return;
  for (auto at = header; at + tlv_header <= packet.size();) {
    swap_at<std::uint16_t>(packet, at);
    swap_at<std::uint16_t>(packet, at + 2);
    const std::size_t length = (load<std::uint16_t>(packet, at) + 3) / 4 * 4;
    if (length < tlv_header) return;
    at += length;
  }
}

}  // namespace

bool has_pseudo_header(std::uint32_t linktype) noexcept {
  constexpr std::array all{bsd_loopback, openbsd_enc, linux_sll,         openbsd_pflog,
                           linux_usb,    nflog,       linux_usb_mmapped, linux_sll2};
  return std::ranges::find(all, linktype) != all.end();
}

void swap_pseudo_header(std::uint32_t linktype, std::span<std::byte> packet) noexcept {
  switch (linktype) {
    case bsd_loopback:  // the address family
      return swap_words(packet, {0});
    case openbsd_enc:  // the address family, and flags after the SPI
      return swap_words(packet, {0, 8});
    case linux_sll:
      return swap_can(packet, 14, 16);
    case linux_sll2:
      return swap_can(packet, 0, 20);
    case openbsd_pflog:
      return swap_pflog(packet);
    case linux_usb:
      return swap_usb(packet, false);
    case linux_usb_mmapped:
      return swap_usb(packet, true);
    case nflog:
      return swap_nflog(packet);
    default:
      return;
  }
}

}  // namespace wirespool::format

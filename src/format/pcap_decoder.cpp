// SPDX-License-Identifier: BSD-3-Clause
#include "format/pcap_decoder.hpp"

#include <utility>

namespace wirespool::format {
namespace {

// The upper bits of the link type field tell whether frames carry an FCS (pcap-savefile(5)).
constexpr std::uint32_t linktype_mask = 0x03ffffff;

struct Dialect {
  bool known = false;
  bool swapped = false;
  std::uint32_t scale = 1;
  std::size_t more_header = 0;  // by how many bytes a record header is longer than usual
};

Dialect dialect_of(std::uint32_t magic) noexcept {
  if (magic == pcap_magic_ns) return {true, false, 1};
  if (magic == pcap_magic_us) return {true, false, 1000};
  if (magic == swap_bytes(pcap_magic_ns)) return {true, true, 1};
  if (magic == swap_bytes(pcap_magic_us)) return {true, true, 1000};
  if (magic == pcap_magic_kuznetzov) return {true, false, 1000, 8};
  if (magic == swap_bytes(pcap_magic_kuznetzov)) return {true, true, 1000, 8};
  return {};
}

}  // namespace

bool PcapDecoder::has_magic(std::span<const std::byte> head) noexcept {
  return head.size() >= sizeof(std::uint32_t) && dialect_of(load<std::uint32_t>(head)).known;
}

void PcapDecoder::swap(PcapRecordHeader& header) noexcept {
  header.seconds = swap_bytes(header.seconds);
  header.nanoseconds = swap_bytes(header.nanoseconds);
  header.caplen = swap_bytes(header.caplen);
  header.wirelen = swap_bytes(header.wirelen);
}

void PcapDecoder::put_lengths_right(PcapRecordHeader& header) const noexcept {
  if (lengths_ == Lengths::exchanged || header.caplen > header.wirelen) std::swap(header.caplen, header.wirelen);
}

// Accepts what libpcap accepts; else says why not.
std::string PcapDecoder::read_version(std::uint16_t major, std::uint16_t minor) {
  const bool dg_ux = major == 543 && minor == 0;
  if (!dg_ux && (major != 2 || minor > 4)) {
    return "its pcap version is " + std::to_string(major) + "." + std::to_string(minor) + ", not 2.0 to 2.4 or 543.0";
  }
  if (dg_ux || minor < 3)
    lengths_ = Lengths::exchanged;
  else if (minor == 3)
    lengths_ = Lengths::either;
  return {};
}

std::expected<PcapDecoder, std::string> PcapDecoder::recognise(std::span<const std::byte> head) {
  if (!has_magic(head)) return std::unexpected("it does not begin as a pcap file");
  if (head.size() < sizeof(PcapFileHeader)) return std::unexpected("it ends within the pcap header");
  const auto header = load<PcapFileHeader>(head);
  const auto dialect = dialect_of(header.magic);
  PcapDecoder decoder;
  decoder.swapped_ = dialect.swapped;
  decoder.scale_ = dialect.scale;
  decoder.header_bytes_ += dialect.more_header;
  decoder.linktype_ = (dialect.swapped ? swap_bytes(header.linktype) : header.linktype) & linktype_mask;
  decoder.snaplen_ = dialect.swapped ? swap_bytes(header.snaplen) : header.snaplen;
  if (decoder.snaplen_ == 0) decoder.snaplen_ = max_snaplen;  // some tools write 0 for "all of it"
  const auto major = dialect.swapped ? swap_bytes(header.version_major) : header.version_major;
  const auto minor = dialect.swapped ? swap_bytes(header.version_minor) : header.version_minor;
  if (auto why = decoder.read_version(major, minor); !why.empty()) return std::unexpected(std::move(why));
  return decoder;
}

}  // namespace wirespool::format

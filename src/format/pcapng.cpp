// SPDX-License-Identifier: BSD-3-Clause
#include "format/pcapng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

#include "format/bytes.hpp"
#include "format/pcap.hpp"

namespace wirespool::format {
namespace {

constexpr std::size_t block_frame = 12;  // type, length in front, length after
// Longest block that is looked into (packets and interfaces). libpcap draws the line at 16 MiB as well.
constexpr std::uint32_t longest_block = 16 << 20;
constexpr std::size_t most_interfaces = 65536;  // a corrupt file must not grow this list for ever
constexpr std::uint16_t option_end = 0;
constexpr std::uint16_t option_comment = 1;
constexpr std::uint16_t option_tsresol = 9;
constexpr std::uint16_t option_tsoffset = 14;
// Options of a section.
constexpr std::uint16_t option_hardware = 2, option_os = 3, option_application = 4;
// Options of an interface.
constexpr std::uint16_t option_name = 2, option_description = 3, option_mac = 6, option_speed = 8, option_filter = 11;
// Options of an interface's statistics.
constexpr std::uint16_t option_start = 2, option_last = 3, option_received = 4, option_lost_at_nic = 5,
                        option_filter_accepted = 6, option_lost_behind = 7, option_stored = 8;

// What has no place in a packet.
enum PassedOver : std::uint32_t {
  comments = 1,
  name_resolution = 2,
  interface_options = 4,
  packet_options = 8,
  statistics = 16,
  secrets = 32,
  other_blocks = 64,
};

constexpr std::uint64_t power(std::uint64_t base, unsigned exponent) {
  std::uint64_t result = 1;
  while (exponent-- > 0) result *= base;
  return result;
}

void append(std::vector<std::byte>& to, std::span<const std::byte> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

template <class T>
void append_value(std::vector<std::byte>& to, T value) {
  append(to, std::as_bytes(std::span{&value, 1}));
}

void append_option(std::vector<std::byte>& to, std::uint16_t code, std::span<const std::byte> value) {
  append_value(to, code);
  append_value(to, static_cast<std::uint16_t>(value.size()));
  append(to, value);
  to.resize((to.size() + 3) / 4 * 4);
}

void append_text(std::vector<std::byte>& to, std::uint16_t code, std::string_view text) {
  constexpr std::size_t longest = 65'532;  // a multiple of 4 that the length can say
  if (!text.empty()) append_option(to, code, std::as_bytes(std::span{text}).first(std::min(text.size(), longest)));
}

void append_number(std::vector<std::byte>& to, std::uint16_t code, std::uint64_t number) {
  append_option(to, code, std::as_bytes(std::span{&number, 1}));
}

// Times have their high half first.
std::uint64_t turned(Timestamp time) { return time.ns << 32 | time.ns >> 32; }

std::vector<std::byte> block_of(std::uint32_t type, std::span<const std::byte> body) {
  std::vector<std::byte> block;
  const auto length = static_cast<std::uint32_t>(body.size() + block_frame);
  append_value(block, type);
  append_value(block, length);
  append(block, body);
  append_value(block, length);
  return block;
}

}  // namespace

namespace {

// Each cause by itself, as the ledger names it, for people and programs.
std::string comment_of(const SourceTally& tally, std::optional<std::uint64_t> clock_error_ns) {
  const auto& missing = tally.missing;
  return fmt::format(R"({{"lost":{{"nic_missed":{},"nic_errors":{},"nic_other":{},"no_mbuf":{},"drop_handoff":{}}},)"
                     R"("lost_behind_last_packet":{},"clock_error_ns":{}}})",
                     missing.nic_missed, missing.nic_errors, missing.nic_other, missing.no_mbuf, missing.drop_handoff,
                     tally.behind_last, clock_error_ns ? std::to_string(*clock_error_ns) : "null");
}

bool read_comment(std::string_view text, MissingPackets& missing, std::uint64_t& behind_last) {
  const auto number = [text](std::string_view name, std::uint64_t& value) {
    const auto at = text.find(fmt::format("\"{}\":", name));
    if (at == std::string_view::npos) return false;
    const auto* const begin = text.data() + at + name.size() + 3;
    return std::from_chars(begin, text.data() + text.size(), value).ec == std::errc{};
  };
  return number("nic_missed", missing.nic_missed) && number("nic_errors", missing.nic_errors) &&
         number("nic_other", missing.nic_other) && number("no_mbuf", missing.no_mbuf) &&
         number("drop_handoff", missing.drop_handoff) && number("lost_behind_last_packet", behind_last);
}

std::vector<std::byte> statistics_block(std::uint32_t interface, const SourceTally& tally, Timestamp first,
                                        Timestamp last, std::optional<std::uint64_t> clock_error_ns) {
  std::vector<std::byte> body;
  append_value(body, interface);
  append_value(body, turned(last));
  append_number(body, option_start, turned(first));
  append_number(body, option_last, turned(last));
  const auto accepted = tally.packets + tally.missing.drop_handoff;
  append_number(body, option_received, accepted + tally.missing.at_nic());
  append_number(body, option_lost_at_nic, tally.missing.at_nic());
  append_number(body, option_filter_accepted, accepted);
  append_number(body, option_lost_behind, tally.missing.drop_handoff);
  append_number(body, option_stored, tally.packets);
  append_text(body, option_comment, comment_of(tally, clock_error_ns));
  append_option(body, option_end, {});
  return block_of(pcapng_interface_statistics, body);
}

}  // namespace

bool PcapngDecoder::has_magic(std::span<const std::byte> head) noexcept {
  return head.size() >= 4 && load<std::uint32_t>(head) == pcapng_section;
}

template <class T>
T PcapngDecoder::field(std::span<const std::byte> bytes, std::size_t offset) const noexcept {
  const auto value = load<T>(bytes, offset);
  return swapped_ ? swap_bytes(value) : value;
}

Decoded PcapngDecoder::next(std::span<const std::byte> window) {
  if (window.size() < block_frame) return Decoded::need(block_frame);
  if (load<std::uint32_t>(window) == pcapng_section) return begin_section(window);
  if (!in_section_) return Decoded::broken("a block stands outside of any section");
  const auto type = field<std::uint32_t>(window, 0);
  const auto length = field<std::uint32_t>(window, 4);
  if (length < block_frame || length % 4 != 0) return Decoded::broken("a block has an impossible length");
  const bool looked_into = type == pcapng_interface || type == pcapng_enhanced_packet || type == pcapng_simple_packet ||
                           type == pcapng_old_packet;
  if (!looked_into) {
    look_at_block(type);
    return Decoded::skip(length);
  }
  if (length > longest_block) return Decoded::broken("a block claims to be longer than any packet");
  if (window.size() < length) return Decoded::need(length);
  const auto block = window.first(length);
  if (field<std::uint32_t>(block, length - 4) != length) return Decoded::broken("the two lengths of a block differ");
  switch (type) {
    case pcapng_interface:
      return add_interface(block);
    case pcapng_enhanced_packet:
      return timed_packet(block, block.size() < 12 ? 0 : field<std::uint32_t>(block, 8));
    case pcapng_old_packet:
      // The obsolete Packet Block: as the enhanced one, with a 16-bit interface number and a drop count.
      return timed_packet(block, block.size() < 12 ? 0 : field<std::uint16_t>(block, 8));
    default:
      return simple_packet(block);
  }
}

Decoded PcapngDecoder::begin_section(std::span<const std::byte> window) {
  constexpr std::size_t shortest = 28;
  if (window.size() < shortest) return Decoded::need(shortest);
  const auto order = load<std::uint32_t>(window, 8);
  if (order != pcapng_byte_order && order != swap_bytes(pcapng_byte_order)) {
    return Decoded::broken("a section header has no byte order");
  }
  swapped_ = order != pcapng_byte_order;
  const auto length = field<std::uint32_t>(window, 4);
  if (length < shortest || length % 4 != 0) return Decoded::broken("a section header has an impossible length");
  if (field<std::uint16_t>(window, 12) != 1) return Decoded::broken("a section is of an unknown pcapng version");
  if (length <= longest_block) {
    if (window.size() < length) return Decoded::need(length);
    constexpr std::uint32_t not_told = 0;  // which program wrote it, and on what
    look_at_options(window.first(length - 4).subspan(24), not_told);
  }
  in_section_ = true;
  interfaces_.clear();
  return Decoded::skip(length);
}

Decoded PcapngDecoder::add_interface(std::span<const std::byte> block) {
  if (block.size() < block_frame + 8) return Decoded::broken("an interface block is too short");
  if (interfaces_.size() >= most_interfaces) return Decoded::broken("there are too many interfaces");
  Interface interface;
  interface.linktype = field<std::uint16_t>(block, 8);
  interface.snaplen = field<std::uint32_t>(block, 12);
  read_options(block.subspan(16, block.size() - 20), interface);
  interfaces_.push_back(interface);
  return Decoded::skip(block.size());
}

void PcapngDecoder::read_options(std::span<const std::byte> options, Interface& interface) {
  look_at_options(options, interface_options);
  while (options.size() >= 4) {
    const auto code = field<std::uint16_t>(options, 0);
    const std::size_t length = field<std::uint16_t>(options, 2);
    const auto padded = 4 + (length + 3) / 4 * 4;
    if (code == option_end || padded > options.size()) return;
    if (code == option_tsresol && length == 1) {
      // if_tsresol: a negative power of two if the highest bit is set, else of ten.
      const auto exponent = static_cast<unsigned>(options[4]) & 0x7f;
      const bool binary = (static_cast<unsigned>(options[4]) & 0x80) != 0;
      if (binary ? exponent < 64 : exponent < 20) interface.units_per_second = power(binary ? 2 : 10, exponent);
    }
    if (code == option_tsoffset && length == 8) {
      interface.offset_seconds = static_cast<std::int64_t>(field<std::uint64_t>(options, 4));
    }
    options = options.subspan(padded);
  }
}

void PcapngDecoder::look_at_options(std::span<const std::byte> options, std::uint32_t others) noexcept {
  while (options.size() >= 4) {
    const auto code = field<std::uint16_t>(options, 0);
    const std::size_t padded = 4 + (field<std::uint16_t>(options, 2) + 3u) / 4 * 4;
    if (code == option_end || padded > options.size()) return;
    if (code == option_comment) passed_over_ |= comments;
    if (code != option_comment && code != option_tsresol && code != option_tsoffset) passed_over_ |= others;
    options = options.subspan(padded);
  }
}

void PcapngDecoder::look_at_block(std::uint32_t type) noexcept {
  constexpr std::uint32_t names = 4, decryption_secrets = 10;
  if (type == names) passed_over_ |= name_resolution;
  if (type == pcapng_interface_statistics) passed_over_ |= statistics;
  if (type == decryption_secrets) passed_over_ |= secrets;
  if (type != names && type != pcapng_interface_statistics && type != decryption_secrets) passed_over_ |= other_blocks;
}

std::vector<std::string> PcapngDecoder::passed_over() const {
  constexpr std::array<std::pair<std::uint32_t, const char*>, 7> words{
      {{comments, "comments"},
       {name_resolution, "name resolution"},
       {interface_options, "names and options of interfaces"},
       {packet_options, "options of packets"},
       {statistics, "interface statistics"},
       {secrets, "decryption secrets"},
       {other_blocks, "blocks of other types"}}};
  std::vector<std::string> kinds;
  for (const auto& [bit, word] : words) {
    if ((passed_over_ & bit) != 0) kinds.emplace_back(word);
  }
  return kinds;
}

// nullopt: it does not fit into 64 bits of nanoseconds since 1970.
std::optional<Timestamp> PcapngDecoder::time_of(const Interface& interface, std::uint64_t units) const noexcept {
  __extension__ using Wide = unsigned __int128;
  __extension__ using Signed = __int128;
  const auto seconds = Signed{units / interface.units_per_second} + interface.offset_seconds;
  const auto fraction = Wide{units % interface.units_per_second} * 1'000'000'000 / interface.units_per_second;
  const auto ns = seconds * 1'000'000'000 + static_cast<Signed>(fraction);
  if (ns < 0 || ns > Signed{std::numeric_limits<std::uint64_t>::max()}) return std::nullopt;
  return Timestamp{static_cast<std::uint64_t>(ns)};
}

Decoded PcapngDecoder::packet(std::span<const std::byte> block, std::size_t header, const Interface& interface,
                              std::optional<Timestamp> time, std::uint32_t caplen, std::uint32_t wirelen) const {
  if (!time) return Decoded::broken("a packet's time is before 1970 or after 2554");
  if (caplen > block.size() - header - 4) return Decoded::broken("a packet claims to be longer than its block");
  if (caplen > max_snaplen) return Decoded::broken("a packet claims to be longer than any packet");
  return {Decoded::Kind::packet, block.size(), {*time, wirelen, block.subspan(header, caplen)}, interface.linktype, ""};
}

Decoded PcapngDecoder::timed_packet(std::span<const std::byte> block, std::size_t number) {
  constexpr std::size_t header = sizeof(PcapngPacketHeader);
  if (block.size() < header + 4) return Decoded::broken("a packet block is too short");
  if (number >= interfaces_.size()) return Decoded::broken("a packet is of an interface that was not described");
  const auto units = std::uint64_t{field<std::uint32_t>(block, 12)} << 32 | field<std::uint32_t>(block, 16);
  const auto caplen = field<std::uint32_t>(block, 20);
  const auto& interface = interfaces_[number];
  const std::uint64_t options = header + std::uint64_t{caplen} + pcapng_padding(caplen);
  if (options + 4 < block.size())
    look_at_options(block.first(block.size() - 4).subspan(static_cast<std::size_t>(options)), packet_options);
  return packet(block, header, interface, time_of(interface, units), caplen, field<std::uint32_t>(block, 24));
}

// A Simple Packet Block has no time and no interface number: it belongs to the first interface.
Decoded PcapngDecoder::simple_packet(std::span<const std::byte> block) const {
  constexpr std::size_t header = 12;
  if (block.size() < header + 4) return Decoded::broken("a packet block is too short");
  if (interfaces_.empty()) return Decoded::broken("a packet is of an interface that was not described");
  const auto& interface = interfaces_.front();
  const auto wirelen = field<std::uint32_t>(block, 8);
  auto caplen = std::min<std::uint32_t>(wirelen, static_cast<std::uint32_t>(block.size() - header - 4));
  if (interface.snaplen != 0) caplen = std::min(caplen, interface.snaplen);
  return packet(block, header, interface, Timestamp{}, caplen, wirelen);
}

std::vector<std::byte> pcapng_section_header(const PcapngSection& section) {
  std::vector<std::byte> body;
  append_value(body, pcapng_byte_order);
  append_value(body, std::uint16_t{1});
  append_value(body, std::uint16_t{0});
  append_value(body, ~std::uint64_t{0});  // section length not given
  append_text(body, option_hardware, section.hardware);
  append_text(body, option_os, section.os);
  append_text(body, option_application, section.application);
  append_option(body, option_end, {});
  return block_of(pcapng_section, body);
}

std::vector<std::byte> pcapng_interface_block(const PcapngInterface& interface) {
  std::vector<std::byte> body;
  append_value(body, static_cast<std::uint16_t>(interface.linktype));
  append_value(body, std::uint16_t{0});
  append_value(body, interface.snaplen);
  append_text(body, option_name, interface.name);
  append_text(body, option_description, interface.description);
  if (interface.mac) append_option(body, option_mac, *interface.mac);
  if (interface.bits_per_s != 0) append_number(body, option_speed, interface.bits_per_s);
  const std::byte nanoseconds{9};
  append_option(body, option_tsresol, std::span{&nanoseconds, 1});
  // The byte in front of the text says that it is a text, not a program.
  if (!interface.filter.empty()) append_text(body, option_filter, '\0' + interface.filter);
  append_text(body, option_comment, interface.comment);
  append_option(body, option_end, {});
  return block_of(pcapng_interface, body);
}

std::optional<PcapngFront> pcapng_front(std::span<const std::byte> bytes) {
  PcapngFront front;
  std::size_t at = 0;
  for (auto expected = pcapng_section; at + block_frame <= bytes.size(); expected = pcapng_interface) {
    const auto block = bytes.subspan(at);
    if (load<std::uint32_t>(block) != expected) break;
    const auto length = load<std::uint32_t>(block, 4);
    if (length < block_frame + 8 || length % 4 != 0 || length > block.size() ||
        load<std::uint32_t>(block, length - 4) != length)
      return std::nullopt;
    if (expected == pcapng_section && load<std::uint32_t>(block, 8) != pcapng_byte_order) return std::nullopt;
    if (expected == pcapng_interface) {
      if (load<std::uint16_t>(block, 8) != linktype_ethernet) return std::nullopt;
      front.snaplen = load<std::uint32_t>(block, 12);
      ++front.interfaces;
    }
    at += length;
  }
  if (front.interfaces == 0 || at + block_frame > bytes.size()) return std::nullopt;
  front.bytes.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  return front;
}

std::vector<std::byte> pcapng_statistics(std::span<const SourceTally> sources, Timestamp first, Timestamp last,
                                         std::optional<std::uint64_t> clock_error_ns) {
  std::vector<std::byte> blocks;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].empty()) continue;
    append(blocks, statistics_block(static_cast<std::uint32_t>(i), sources[i], first, last, clock_error_ns));
  }
  return blocks;
}

std::optional<PcapngStatistics> read_pcapng_statistics(std::span<const std::byte> block) {
  if (block.size() < block_frame + 12) return std::nullopt;
  PcapngStatistics statistics;
  statistics.interface = load<std::uint32_t>(block, 8);
  auto& [packets, missing, behind_last] = statistics.tally;
  bool has_received = false, has_stored = false;
  auto options = block.first(block.size() - 4).subspan(20);
  while (options.size() >= 4) {
    const auto code = load<std::uint16_t>(options);
    const std::size_t length = load<std::uint16_t>(options, 2), padded = 4 + (length + 3) / 4 * 4;
    if (code == option_end || padded > options.size()) break;
    if (length == 8) {
      const auto value = load<std::uint64_t>(options, 4);
      if (code == option_received) statistics.received = value, has_received = true;
      if (code == option_filter_accepted) statistics.filter_accepted = value;
      if (code == option_stored) packets = value, has_stored = true;
    }
    if (code == option_comment &&
        !read_comment({reinterpret_cast<const char*>(options.data()) + 4, length}, missing, behind_last))
      return std::nullopt;
    options = options.subspan(padded);
  }
  if (!has_received || !has_stored) return std::nullopt;
  return statistics;
}

}  // namespace wirespool::format

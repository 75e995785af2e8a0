// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "format/bytes.hpp"
#include "format/pcap.hpp"

namespace wirespool::format {

// Reads classic pcap of either byte order, in micro- or nanoseconds, with any link type (pcap-savefile(5)), and the
// variants that libpcap reads: Kuznetzov's longer record headers, and versions before 2.3 and DG/UX's 543.0, in which
// the two lengths stand the other way round.
class PcapDecoder {
 public:
  // `head` is the beginning of the file, at least sizeof(PcapFileHeader) bytes.
  static std::expected<PcapDecoder, std::string> recognise(std::span<const std::byte> head);
  static bool has_magic(std::span<const std::byte> head) noexcept;

  // A decoder for files as wirespool writes them, for one whose header is lost.
  static PcapDecoder native() { return PcapDecoder(); }

  std::uint32_t linktype() const { return linktype_; }
  std::uint32_t snaplen() const { return snaplen_; }
  bool is_swapped() const { return swapped_; }  // the file is in the other byte order
  // Whether its record headers are those of PcapRecordHeader, but for byte order and unit.
  bool has_usual_records() const { return header_bytes_ == sizeof(PcapRecordHeader) && lengths_ == Lengths::usual; }
  bool is_native() const { return !swapped_ && scale_ == 1 && linktype_ == linktype_ethernet && has_usual_records(); }

  // A fraction of more than a second is kept as far as 32 bits hold it.
  PcapRecordHeader record_header(std::span<const std::byte> window) const noexcept {
    auto header = unscaled_header(window);
    const auto ns = std::uint64_t{header.nanoseconds} * scale_;
    header.nanoseconds = ns <= 0xffffffff ? static_cast<std::uint32_t>(ns) : 0xffffffff;
    return header;
  }

  Decoded next(std::span<const std::byte> window) const noexcept {
    if (window.size() < header_bytes_) return Decoded::need(header_bytes_);
    const auto header = unscaled_header(window);
    if (header.caplen > max_snaplen) return Decoded::broken("a record claims to be longer than any packet");
    const std::uint64_t whole = header_bytes_ + header.caplen;
    if (window.size() < whole) return Decoded::need(whole);
    const Timestamp time{header.seconds * std::uint64_t{1'000'000'000} + std::uint64_t{header.nanoseconds} * scale_};
    return {Decoded::Kind::packet,
            whole,
            {time, header.wirelen, window.subspan(header_bytes_, header.caplen)},
            linktype_,
            ""};
  }

 private:
  enum class Lengths { usual, exchanged, either };  // either: the smaller one is caplen, as libpcap guesses

  PcapRecordHeader unscaled_header(std::span<const std::byte> window) const noexcept {
    auto header = load<PcapRecordHeader>(window);
    if (swapped_) swap(header);
    if (lengths_ != Lengths::usual) [[unlikely]]
      put_lengths_right(header);
    return header;
  }
  static void swap(PcapRecordHeader& header) noexcept;
  void put_lengths_right(PcapRecordHeader& header) const noexcept;
  std::string read_version(std::uint16_t major, std::uint16_t minor);

  std::uint32_t linktype_ = linktype_ethernet;
  std::uint32_t snaplen_ = max_snaplen;
  std::uint32_t scale_ = 1;  // nanoseconds a unit of the second field
  bool swapped_ = false;
  Lengths lengths_ = Lengths::usual;
  std::size_t header_bytes_ = sizeof(PcapRecordHeader);
};

}  // namespace wirespool::format

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "format/decoded.hpp"
#include "format/load.hpp"
#include "format/pcap.hpp"

namespace wirespool::format {

// Reads classic pcap of either byte order, in micro- or nanoseconds, with any link type (pcap-savefile(5)).
class PcapDecoder {
 public:
  // `head` is the beginning of the file, at least sizeof(PcapFileHeader) bytes.
  static std::expected<PcapDecoder, std::string> recognise(std::span<const std::byte> head);
  static bool has_magic(std::span<const std::byte> head) noexcept;

  // As wirespool writes it: for a file whose own header is lost.
  static PcapDecoder native() { return PcapDecoder(); }

  std::uint32_t linktype() const { return linktype_; }
  std::uint32_t snaplen() const { return snaplen_; }
  bool is_native() const { return !swapped_ && scale_ == 1 && linktype_ == linktype_ethernet; }

  PcapRecordHeader record_header(std::span<const std::byte> window) const noexcept {
    auto header = load<PcapRecordHeader>(window);
    if (swapped_) swap(header);
    header.nanoseconds *= scale_;
    return header;
  }

  Decoded next(std::span<const std::byte> window) const noexcept {
    if (window.size() < sizeof(PcapRecordHeader)) return Decoded::need(sizeof(PcapRecordHeader));
    const auto header = record_header(window);
    if (header.caplen > max_snaplen) return Decoded::broken("a record claims to be longer than any packet");
    const std::uint64_t whole = sizeof(PcapRecordHeader) + header.caplen;
    if (window.size() < whole) return Decoded::need(whole);
    const Timestamp time{header.seconds * std::uint64_t{1'000'000'000} + header.nanoseconds};
    return {Decoded::Kind::packet,
            whole,
            {time, header.wirelen, window.subspan(sizeof(PcapRecordHeader), header.caplen)},
            linktype_,
            ""};
  }

 private:
  static void swap(PcapRecordHeader& header) noexcept;

  std::uint32_t linktype_ = linktype_ethernet;
  std::uint32_t snaplen_ = max_snaplen;
  std::uint32_t scale_ = 1;  // nanoseconds a unit of the second field
  bool swapped_ = false;
};

}  // namespace wirespool::format

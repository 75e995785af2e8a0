// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "format/bytes.hpp"
#include "format/copy_frame.hpp"
#include "format/pcap.hpp"
#include "format/pcapng.hpp"
#include "format/record_layout.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::format {

// The layout of a pcapng file as wirespool writes it: a section header and an interface for each source, then enhanced
// packet blocks. Each has 28 bytes in front of the frame; after it come padding to 4 bytes, the number of packets
// missing in front of it (epb_dropcount) if there are any, and the block's length once more. Times are in nanoseconds.
// Foreign pcapng files are PcapngDecoder's matter. Any thread.
class PcapngRecords {
 public:
  static constexpr bool tells_sources = true;
  static constexpr std::uint32_t max_caplen = max_snaplen;
  static constexpr std::uint32_t front_bytes = sizeof(PcapngPacketHeader);
  static constexpr std::size_t bytes_of(std::size_t caplen) noexcept {
    return front_bytes + padded(caplen) + length_bytes;
  }
  static constexpr std::size_t bytes_of(const RecordHead& head) noexcept {
    return bytes_of(head.caplen) + (head.missing != 0 ? missing_bytes : 0);
  }

  // `front`: the section header and interface blocks of every file, in the sources' order.
  explicit PcapngRecords(std::vector<std::byte> front = {}) noexcept : front_(std::move(front)) {}

  std::span<const std::byte> front() const noexcept { return front_; }

  struct Second {
    static Second of(Timestamp) noexcept { return {}; }
    static bool holds(Timestamp) noexcept { return true; }
  };

  // Everything here is inlined into the Appender's loop.
  class Pen {
   public:
    Pen(std::byte* to, const Second&, std::uint32_t source) noexcept : begin_(to), to_(to), source_(source) {}

    const std::byte* end_with(std::uint32_t caplen) const noexcept { return to_ + bytes_of(caplen); }

    // At least head.caplen bytes can be read at `frame`; head.source and head.missing are ignored.
    void put(const RecordHead& head, const std::byte* frame) noexcept {
      const auto bytes = static_cast<std::uint32_t>(bytes_of(head.caplen));
      put_front(to_, bytes, source_, head);
      copy_frame(to_ + front_bytes, frame, head.caplen);
      put_back(to_, bytes, head.caplen);
      to_ += bytes;
      frame_bytes_ += head.caplen;
    }

    std::uint32_t bytes() const noexcept { return static_cast<std::uint32_t>(to_ - begin_); }
    std::uint32_t frame_bytes(std::uint32_t) const noexcept { return frame_bytes_; }

   private:
    std::byte* begin_;
    std::byte* to_;
    std::uint32_t source_;
    std::uint32_t frame_bytes_ = 0;
  };

  static void enclose(std::byte* to, const RecordHead& head) noexcept {
    const auto bytes = static_cast<std::uint32_t>(bytes_of(head));
    put_front(to, bytes, head.source, head);
    std::memset(to + front_bytes + head.caplen, 0, padded(head.caplen) - head.caplen);
    if (head.missing != 0) put_missing(to + front_bytes + padded(head.caplen), head.missing);
    std::memcpy(to + bytes - length_bytes, &bytes, sizeof bytes);
  }

  static std::optional<RecordHead> head_of(std::span<const std::byte> bytes) noexcept {
    if (bytes.size() < front_bytes) return std::nullopt;
    const auto header = load<PcapngPacketHeader>(bytes);
    if (header.type != pcapng_enhanced_packet || header.length % 4 != 0 || header.caplen > max_caplen ||
        header.length < bytes_of(header.caplen))
      return std::nullopt;
    const Timestamp time{std::uint64_t{header.time_high} << 32 | header.time_low};
    return RecordHead{time, header.caplen, header.wirelen, header.interface, 0};
  }

  static std::optional<Record> record_of(std::span<const std::byte> bytes) noexcept {
    const auto head = head_of(bytes);
    if (!head) return std::nullopt;
    const auto length = load<PcapngPacketHeader>(bytes).length;
    if (bytes.size() < length || load<std::uint32_t>(bytes, length - length_bytes) != length) return std::nullopt;
    const auto options = bytes.first(length - length_bytes).subspan(front_bytes + padded(head->caplen));
    return Record{{head->time, head->wirelen, bytes.subspan(front_bytes, head->caplen)},
                  length,
                  head->source,
                  options.size() < missing_bytes ? 0 : missing_of(options)};
  }

 private:
  static constexpr std::uint32_t length_bytes = sizeof(std::uint32_t);
  static constexpr std::uint32_t option_dropcount = 4 | 8 << 16;  // epb_dropcount, and the 8 bytes of its value
  static constexpr std::size_t missing_bytes = 16;                // the option, and the end of options

  static constexpr std::size_t padded(std::size_t caplen) noexcept { return (caplen + 3) & ~std::size_t{3}; }

  // Stores of eight bytes where they can be: see PcapRecords.
  static void put_front(std::byte* to, std::uint32_t bytes, std::uint32_t source, const RecordHead& head) noexcept {
    const auto pair = [](std::uint64_t low, std::uint64_t high) { return high << 32 | low; };
    const std::uint64_t block = pair(pcapng_enhanced_packet, bytes);
    const std::uint64_t time = std::rotl(head.time.ns, 32);  // the high half comes first
    const std::uint64_t lengths = pair(head.caplen, head.wirelen);
    std::memcpy(to, &block, sizeof block);
    std::memcpy(to + 8, &source, sizeof source);
    std::memcpy(to + 12, &time, sizeof time);
    std::memcpy(to + 20, &lengths, sizeof lengths);
  }

  // Padding first; the length then overwrites what is too much.
  static void put_back(std::byte* to, std::uint32_t bytes, std::uint32_t caplen) noexcept {
    constexpr std::uint32_t zeros = 0;
    std::memcpy(to + front_bytes + caplen, &zeros, sizeof zeros);
    std::memcpy(to + bytes - length_bytes, &bytes, sizeof bytes);
  }

  static void put_missing(std::byte* to, std::uint64_t missing) noexcept {
    constexpr std::uint32_t end_of_options = 0;
    std::memcpy(to, &option_dropcount, sizeof option_dropcount);
    std::memcpy(to + 4, &missing, sizeof missing);
    std::memcpy(to + 12, &end_of_options, sizeof end_of_options);
  }

  // wirespool writes no other option.
  static std::uint64_t missing_of(std::span<const std::byte> options) noexcept {
    return load<std::uint32_t>(options) == option_dropcount ? load<std::uint64_t>(options, 4) : 0;
  }

  std::vector<std::byte> front_;
};
static_assert(RecordLayout<PcapngRecords>);

}  // namespace wirespool::format

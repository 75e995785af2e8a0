// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "format/bytes.hpp"
#include "format/copy_frame.hpp"
#include "format/pcap.hpp"
#include "format/record_layout.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::format {

// A fraction of more than a second is added all the same, as other readers do.
inline Timestamp time_of(const PcapRecordHeader& header) noexcept {
  return Timestamp{header.seconds * std::uint64_t{1'000'000'000} + header.nanoseconds};
}

// The layout of a classic pcap file as wirespool writes it (format/pcap.hpp): a file header, then a header of 16 bytes
// in front of each frame, nothing after it. Foreign pcap files are PcapDecoder's matter. Any thread.
class PcapRecords {
 public:
  static constexpr std::uint32_t file_header_bytes = sizeof(PcapFileHeader);
  static constexpr bool tells_sources = false;
  static constexpr std::uint32_t max_caplen = max_snaplen;
  static constexpr std::uint32_t front_bytes = sizeof(PcapRecordHeader);
  static constexpr std::size_t bytes_of(std::size_t caplen) noexcept { return front_bytes + caplen; }
  static constexpr std::size_t bytes_of(const RecordHead& head) noexcept { return bytes_of(head.caplen); }

  // `snaplen`: the snaplen that the file header names, at most max_snaplen.
  explicit PcapRecords(std::uint32_t snaplen = max_snaplen, std::uint32_t linktype = linktype_ethernet) noexcept
      : header_{.snaplen = snaplen, .linktype = linktype} {}

  std::span<const std::byte> front() const noexcept { return std::as_bytes(std::span{&header_, 1}); }

  // A stamp as pcap wants it: seconds and nanoseconds. Consecutive packets nearly always share their second, so that a
  // stamp costs a subtraction; the division is done once a second.
  struct Second {
    std::uint32_t number = 0;
    std::uint64_t begin_ns = 0;

    static Second of(Timestamp time) noexcept {
      return {time.seconds(), std::uint64_t{time.seconds()} * 1'000'000'000};
    }
    bool holds(Timestamp time) const noexcept { return time.ns - begin_ns < 1'000'000'000; }
  };

  // Everything here is inlined into the Appender's loop.
  class Pen {
   public:
    Pen(std::byte* to, const Second& second, std::uint32_t = 0) noexcept : begin_(to), to_(to), second_(second) {}

    const std::byte* end_with(std::uint32_t caplen) const noexcept { return to_ + bytes_of(caplen); }

    // `head` lies in the Pen's Second; at least head.caplen bytes can be read at `frame`.
    void put(const RecordHead& head, const std::byte* frame) noexcept {
      put_front(to_, second_, head);
      copy_frame(to_ + front_bytes, frame, head.caplen);
      to_ += bytes_of(head.caplen);
    }

    std::uint32_t bytes() const noexcept { return static_cast<std::uint32_t>(to_ - begin_); }
    std::uint32_t frame_bytes(std::uint32_t records) const noexcept { return bytes() - records * front_bytes; }

   private:
    std::byte* begin_;
    std::byte* to_;
    Second second_;
  };

  static void enclose(std::byte* to, const RecordHead& head) noexcept { put_front(to, Second::of(head.time), head); }

  static std::optional<RecordHead> head_of(std::span<const std::byte> bytes) noexcept {
    if (bytes.size() < front_bytes) return std::nullopt;
    const auto header = load<PcapRecordHeader>(bytes);
    if (header.caplen > max_caplen) return std::nullopt;
    return RecordHead{time_of(header), header.caplen, header.wirelen};
  }

  static std::optional<Record> record_of(std::span<const std::byte> bytes) noexcept {
    const auto head = head_of(bytes);
    if (!head || bytes.size() < bytes_of(head->caplen)) return std::nullopt;
    return Record{{head->time, head->wirelen, bytes.subspan(front_bytes, head->caplen)}, bytes_of(head->caplen)};
  }

 private:
  // Two moves of eight bytes: from four numbers of four bytes, GCC would go through vector registers.
  static void put_front(std::byte* to, const Second& second, const RecordHead& head) noexcept {
    const auto pair = [](std::uint64_t low, std::uint64_t high) { return high << 32 | low; };
    const std::uint64_t time = pair(second.number, static_cast<std::uint32_t>(head.time.ns - second.begin_ns));
    const std::uint64_t lengths = pair(head.caplen, head.wirelen);
    std::memcpy(to, &time, sizeof time);
    std::memcpy(to + sizeof time, &lengths, sizeof lengths);
  }

  PcapFileHeader header_;
};
static_assert(RecordLayout<PcapRecords>);

}  // namespace wirespool::format

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "wirespool/packet.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::format {

// What a record says of its frame, in whatever layout.
struct RecordHead {
  Timestamp time;
  std::uint32_t caplen = 0;   // bytes of the frame that follow
  std::uint32_t wirelen = 0;  // bytes of it on the wire
  // Only where the layout names sources:
  std::uint32_t source = 0;   // the RX queue it came from, as the file numbers them
  std::uint64_t missing = 0;  // packets of this source that were lost in front of it
};

// A record where it lies in memory.
struct Record {
  PacketView packet;
  std::size_t bytes = 0;  // of the whole record
  std::uint32_t source = 0;
  std::uint64_t missing = 0;
};

// How the records of a capture file follow each other, and what the file begins with: all that the rooms above know of
// the format they write. An object stands for the beginning of a file; everything about records is static. There are
// two, PcapRecords and PcapngRecords; a FileLayout is the one that a capture has chosen.
template <class Layout>
concept RecordLayout = requires(const Layout& layout, typename Layout::Second second, typename Layout::Pen pen,
                                const RecordHead& head, std::byte* to, const std::byte* frame,
                                std::span<const std::byte> bytes, std::uint32_t number) {
  // What every file begins with.
  { layout.front() } -> std::same_as<std::span<const std::byte>>;

  // Whether a record says which source it is from, and how many packets are missing in front of it.
  { Layout::tells_sources } -> std::convertible_to<bool>;

  // The longest frame that readers of the format accept.
  { Layout::max_caplen } -> std::convertible_to<std::uint32_t>;

  // Bytes of a record in front of its frame; bytes of a whole record, by its frame's length and by its head.
  { Layout::front_bytes } -> std::convertible_to<std::uint32_t>;
  { Layout::bytes_of(std::size_t{}) } -> std::same_as<std::size_t>;
  { Layout::bytes_of(head) } -> std::same_as<std::size_t>;

  // What records of nearby times share for encoding; in a layout that needs none, it holds every time.
  { Layout::Second::of(head.time) } -> std::same_as<typename Layout::Second>;
  { second.holds(head.time) } -> std::same_as<bool>;

  // Writes records of one Second and one source one after another, with nothing missing in front of any, into memory
  // that has room for them (the data path's loop).
  requires std::constructible_from<typename Layout::Pen, std::byte*, const typename Layout::Second&, std::uint32_t>;
  { pen.end_with(number) } -> std::same_as<const std::byte*>;  // where a frame of that length would end
  { pen.put(head, frame) } -> std::same_as<void>;
  { pen.bytes() } -> std::same_as<std::uint32_t>;              // put so far
  { pen.frame_bytes(number) } -> std::same_as<std::uint32_t>;  // of these, the frames', after so many records

  // Writes everything else of a record around its frame, which is at to + front_bytes already.
  { Layout::enclose(to, head) } -> std::same_as<void>;

  // Reads back the record at the front of `bytes`: nothing if it is cut, or if it claims to be what no record can be.
  { Layout::head_of(bytes) } -> std::same_as<std::optional<RecordHead>>;  // the frame may be cut; missing is not said
  { Layout::record_of(bytes) } -> std::same_as<std::optional<Record>>;
};

}  // namespace wirespool::format

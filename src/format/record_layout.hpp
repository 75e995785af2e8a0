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
  std::size_t bytes = 0;  // that the whole record takes
  std::uint32_t source = 0;
  std::uint64_t missing = 0;
};

// How the records of a capture file follow each other, and what the file begins with: all that the rooms above know
// of the format they write. An object is what one file begins with; everything about records is static. PcapRecords and
// PcapngRecords are the two there are; a FileLayout is the one that a capture has chosen.
template <class Layout>
concept RecordLayout = requires(const Layout& layout, typename Layout::Second second, typename Layout::Pen pen,
                                const RecordHead& head, std::byte* to, const std::byte* frame,
                                std::span<const std::byte> bytes, std::uint32_t number) {
  // What every file begins with.
  { layout.front() } -> std::same_as<std::span<const std::byte>>;

  // Whether a record says which source it is of, and what is missing in front of it.
  { Layout::tells_sources } -> std::convertible_to<bool>;

  // What readers of the format believe a record may hold at most.
  { Layout::max_caplen } -> std::convertible_to<std::uint32_t>;

  // Bytes of a record in front of its frame, and of the whole record: of a frame of so many bytes, and of just this.
  { Layout::front_bytes } -> std::convertible_to<std::uint32_t>;
  { Layout::bytes_of(std::size_t{}) } -> std::same_as<std::size_t>;
  { Layout::bytes_of(head) } -> std::same_as<std::size_t>;

  // What records of nearby times are encoded by; a layout that needs nothing of the kind holds every time.
  { Layout::Second::of(head.time) } -> std::same_as<typename Layout::Second>;
  { second.holds(head.time) } -> std::same_as<bool>;

  // Puts records of one Second and one source after each other, with nothing missing in front of any, in memory that
  // has room for them (the data path's loop).
  requires std::constructible_from<typename Layout::Pen, std::byte*, const typename Layout::Second&, std::uint32_t>;
  { pen.end_with(number) } -> std::same_as<const std::byte*>;  // where a frame of so many bytes would end
  { pen.put(head, frame) } -> std::same_as<void>;
  { pen.bytes() } -> std::same_as<std::uint32_t>;              // put so far
  { pen.frame_bytes(number) } -> std::same_as<std::uint32_t>;  // of these, the frames', after so many records

  // Around a frame that lies at to + front_bytes already: everything else of its record.
  { Layout::enclose(to, head) } -> std::same_as<void>;

  // Read back what lies at the front of `bytes`: nothing, if it is cut, or claims what no record can be.
  { Layout::head_of(bytes) } -> std::same_as<std::optional<RecordHead>>;  // the frame may be cut; missing is not said
  { Layout::record_of(bytes) } -> std::same_as<std::optional<Record>>;
};

}  // namespace wirespool::format

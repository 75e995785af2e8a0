// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// What of an Appender runs for every packet: compiled together with the caller's way of looking at one. Included by
// appender.hpp.

#include "record/appender.hpp"

namespace wirespool::record {

template <typename Packets>
std::size_t Appender::append(Packets first, Packets last) noexcept {
  Packets done = first;
  while (done != last) {
    Packets end = last;
    if ((*(last + -1)).stamp < (*done).stamp) [[unlikely]] {
      // UTC was set back among these packets: up to there first, the rest begins new files.
      for (end = done + 1; (*end).stamp >= (*(end + -1)).stamp;) ++end;
    }
    done = append_ordered(done, end);
    if (done != end) break;
  }
  return static_cast<std::size_t>(done - first);
}

// These two return the first packet that was not taken.
template <typename Packets>
Packets Appender::append_ordered(Packets first, Packets last) noexcept {
  if ((*first).stamp < last_stamp_) [[unlikely]] {
    end_all_files();
    last_stamp_ = {};
  }
  Packets done = first;
  while (done != last) {
    if (!selected_ && !select_lane()) break;
    const Packets end = end_of_second(done, last);
    done = done + append_some(lanes_[current_], done, end);
    if (done == end) continue;
    if (!append_slowly(*done)) break;
    ++done;
  }
  if (done != first) last_stamp_ = (*(done + -1)).stamp;
  return done;
}

// Makes second_ that of the first packet; the first packet after it that is of another.
template <typename Packets>
Packets Appender::end_of_second(Packets first, Packets last) noexcept {
  if (!second_.holds((*first).stamp)) [[unlikely]]
    second_ = format::PcapRecords::Second::of((*first).stamp);
  if (second_.holds((*(last + -1)).stamp)) [[likely]]
    return last;
  Packets end = first + 1;
  while (second_.holds((*end).stamp)) ++end;
  return end;
}

// As many packets of second_ as fit into the open Block, and how many those were. The layout is asked for here, once
// for all of them.
template <typename Packets>
std::ptrdiff_t Appender::append_some(Lane& lane, Packets first, Packets last) noexcept {
  if (!tells_sources_) return append_run<format::PcapRecords>(lane, first, last);
  if (missing_.sum() != 0) [[unlikely]]
    return 0;  // the first one has to tell
  return append_run<format::PcapngRecords>(lane, first, last);
}

// The hot loop. Locals, because writes through std::byte* may alias members; a function of its own, so that all
// registers are its.
template <class Layout, typename Packets>
[[gnu::noinline]] std::ptrdiff_t Appender::append_run(Lane& lane, Packets first, Packets last) noexcept {
  Block& block = *lane.block;
  const std::byte* const limit = block.data + block.capacity;
  const auto second = [this] {
    if constexpr (std::is_same_v<typename Layout::Second, format::PcapRecords::Second>)
      return second_;
    else
      return typename Layout::Second{};
  }();
  typename Layout::Pen pen(block.data + block.length, second, source_);
  Packets at = first;
  for (; at != last; ++at) {
    const PacketRef& packet = *at;
    if (pen.end_with(packet.caplen) > limit || packet.is_in_pieces()) break;
    pen.put({packet.stamp, packet.caplen, packet.wirelen}, packet.head);
  }
  const auto count = static_cast<std::uint32_t>(at - first);
  if (count == 0) return 0;
  begin_records(lane, block.length, count, (*first).stamp, (*(at + -1)).stamp);
  block.length += pen.bytes();
  block.tally.packets += count;
  block.tally.bytes += pen.frame_bytes(count);
  if constexpr (Layout::tells_sources) block.sources[source_].packets += count;
  return count;
}

}  // namespace wirespool::record

// SPDX-License-Identifier: BSD-3-Clause
#include "capture/flow_outlet.hpp"

#include <rte_prefetch.h>

#include <algorithm>
#include <utility>

namespace wirespool::capture {
namespace {

constexpr std::size_t aged_a_burst = 32, aged_a_tick = 512;  // buckets, at most: some microseconds

}  // namespace

void FlowOutlet::deliver(const Received& received) noexcept {
  const std::span<rte_mbuf*> mbufs(received.burst.mbufs, received.burst.count);
  cut_packets_ = cut_bytes_ = 0;
  const std::uint64_t now = mbufs.empty() ? 0 : setup_.fields.stamp.of(mbufs.back());
  for (std::size_t done = 0; done < mbufs.size(); done += at_once) {
    const auto some = mbufs.subspan(done, std::min<std::size_t>(at_once, mbufs.size() - done));
    const auto packets = std::span(packets_).first(read(some));
    setup_.table->look(packets);
    if (!setup_.cutoff) continue;
    if (setup_.fields.keep.used())
      shorten(packets);
    else
      cut(packets, received);
  }
  setup_.table->age({now}, aged_a_burst);
  if (cut_packets_ == 0)
    next_.deliver(received);
  else if (const auto rest = without_cut(received); rest.burst.count)
    next_.deliver(rest);
}

void FlowOutlet::tick(Timestamp now) noexcept {
  setup_.table->age(now, aged_a_tick);
  OutletAround::tick(now);
}

// How many are of IP; those fill packets_ and places_.
std::size_t FlowOutlet::read(std::span<rte_mbuf*> mbufs) noexcept {
  for (const rte_mbuf* mbuf : mbufs) rte_prefetch0(rte_pktmbuf_mtod(mbuf, const void*));
  if (setup_.fields.keep.used())
    for (rte_mbuf* mbuf : mbufs) setup_.fields.keep.of(mbuf) = dpdk::KeepField::everything;
  std::size_t count = 0;
  for (rte_mbuf*& mbuf : mbufs) {
    auto& packet = packets_[count];
    const std::span frame(rte_pktmbuf_mtod(mbuf, const std::byte*), mbuf->data_len);
    if (!flow::read_packet(frame, mbuf->pkt_len, packet)) continue;
    packet.time_ns = setup_.fields.stamp.of(mbuf);
    packet.port = mbuf->port;
    places_[count++] = &mbuf;
  }
  if (count < mbufs.size()) counters_.not_ip.add(mbufs.size() - count);
  return count;
}

bool FlowOutlet::is_behind(const flow::FlowPacket& packet) const noexcept {
  constexpr auto kept = flow::tcp::syn | flow::tcp::fin | flow::tcp::rst;
  return packet.before >= *setup_.cutoff && (packet.tcp_flags & kept) == 0;
}

void FlowOutlet::shorten(std::span<flow::FlowPacket> packets) noexcept {
  std::uint64_t shorter = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const auto& packet = packets[i];
    if (!is_behind(packet) || packet.headers >= packet.wirelen) continue;
    setup_.fields.keep.of(*places_[i]) = packet.headers;
    ++shorter;
  }
  if (shorter) counters_.headers_only.add(shorter);
}

// Those are counted as received as well, as nobody behind sees them.
void FlowOutlet::cut(std::span<flow::FlowPacket> packets, const Received& whole) noexcept {
  std::array<rte_mbuf*, at_once> gone;
  unsigned count = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (!is_behind(packets[i])) continue;
    bytes += packets[i].wirelen;
    gone[count++] = std::exchange(*places_[i], nullptr);
  }
  if (count == 0) return;
  const Received left_out{{gone.data(), count, whole.burst.pool}, bytes, whole.queue};
  count_received(counters_, left_out);
  counters_.cut.add(count);
  dpdk::free_burst(left_out.burst);
  cut_packets_ += count;
  cut_bytes_ += bytes;
}

Received FlowOutlet::without_cut(const Received& all) noexcept {
  auto* const end = std::remove(all.burst.mbufs, all.burst.mbufs + all.burst.count, nullptr);
  return {{all.burst.mbufs, static_cast<unsigned>(end - all.burst.mbufs), all.burst.pool},
          all.bytes - cut_bytes_,
          all.queue};
}

}  // namespace wirespool::capture

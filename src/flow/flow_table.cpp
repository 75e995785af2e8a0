// SPDX-License-Identifier: BSD-3-Clause
#include "flow/flow_table.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace wirespool::flow {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr unsigned time_shift = 20;                    // units of about a millisecond
constexpr std::uint64_t closing_ns = 1'000'000'000;    // what may still come after FIN or RST
constexpr std::uint64_t least_period_ns = 50'000'000;  // of one round of age()
constexpr std::size_t comfortable = 4;                 // of 7 places: from here on, the emptier of two buckets is taken
constexpr std::size_t look_ahead = 8;                  // buckets, in age()

std::uint32_t units(std::uint64_t ns) noexcept { return static_cast<std::uint32_t>(ns >> time_shift); }

// Units from `then` to `now`; 0 if time went back.
std::uint32_t since(std::uint32_t then, std::uint32_t now) noexcept {
  return static_cast<std::uint32_t>(std::max<std::int32_t>(0, static_cast<std::int32_t>(now - then)));
}

std::uint64_t since_ns(std::uint64_t then, std::uint64_t now) noexcept { return now > then ? now - then : 0; }

// A number below `count`, spread as evenly as the upper bits of `hash`.
std::size_t below(std::uint64_t hash, std::size_t count) noexcept {
  return static_cast<std::size_t>(static_cast<Wide>(hash) * count >> 64);
}

// Seven places a bucket, five eighths of which are used by the flows it was made for.
std::size_t buckets_for(std::uint64_t flows) noexcept {
  return std::max<std::size_t>(2, static_cast<std::size_t>((flows * 8 + 34) / 35));
}

}  // namespace

std::size_t FlowTable::bytes_needed(std::uint64_t flows) noexcept {
  return buckets_for(flows) * (sizeof(Bucket) + places * sizeof(Flow));
}

FlowTable::FlowTable(std::span<std::byte> memory, const FlowTableOptions& options, FlowRing* ring,
                     void (*wait)() noexcept) noexcept
    : buckets_(reinterpret_cast<Bucket*>(memory.data()), buckets_for(options.flows)),
      flows_(reinterpret_cast<Flow*>(memory.data() + buckets_.size_bytes())),
      options_(options),
      ring_(ring),
      wait_(wait),
      idle_units_(units(options.idle_ns)),
      grain_units_(std::max(1u, idle_units_ / 16)),
      closing_units_(units(std::min(closing_ns, options.idle_ns))),
      period_ns_(std::max(least_period_ns, options.idle_ns / 4)) {
  assert(memory.size() >= bytes_needed(options.flows));
}

std::size_t FlowTable::home_of(std::uint64_t hash) const noexcept { return below(hash, buckets_.size()); }

std::size_t FlowTable::other_of(std::uint64_t hash) const noexcept {
  return below(std::rotl(hash, 32) * 0x9e3779b97f4a7c15, buckets_.size());
}

std::uint32_t FlowTable::match(const Bucket& bucket, std::uint32_t tag) noexcept {
  std::uint32_t found = 0;
  for (unsigned slot = 0; slot < places; ++slot) found |= std::uint32_t{bucket.tags[slot] == tag} << slot;
  return found;
}

// ---- looking packets up, stage by stage, so that the memory of all of them is fetched at once

void FlowTable::look(std::span<FlowPacket> packets) noexcept {
  assert(packets.size() <= most_packets);
  std::array<Looked, most_packets> looked;
  std::array<std::uint8_t, most_packets> elsewhere;
  std::size_t others = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    looked[i].hash = packets[i].key.hash(options_.seed);
    looked[i].home = home_of(looked[i].hash);
    __builtin_prefetch(&buckets_[looked[i].home]);
  }
  for (std::size_t i = 0; i < packets.size(); ++i) {
    elsewhere[others] = static_cast<std::uint8_t>(i);
    others += !likely_at(looked[i].home, looked[i]) && buckets_[looked[i].home].elsewhere != 0;
  }
  for (std::size_t i = 0; i < others; ++i) __builtin_prefetch(&buckets_[other_of(looked[elsewhere[i]].hash)]);
  for (std::size_t i = 0; i < others; ++i) likely_at(other_of(looked[elsewhere[i]].hash), looked[elsewhere[i]]);
  for (std::size_t i = 0; i < packets.size(); ++i) count(packets[i], looked[i]);
  counters_.packets.add(packets.size());
}

// Whether the packet's tag is in this bucket, and where; another flow may have the same tag.
bool FlowTable::likely_at(std::size_t bucket, Looked& looked) noexcept {
  const auto found = match(buckets_[bucket], tag_of(looked.hash));
  if (found == 0) return false;
  looked.place = {bucket, static_cast<unsigned>(std::countr_zero(found))};
  const Flow& flow = flow_at(looked.place);
  __builtin_prefetch(&flow);
  __builtin_prefetch(&flow.last_ns, 1);
  return true;
}

FlowTable::Place FlowTable::find_in(std::size_t bucket, const FlowKey& key, std::uint32_t tag) noexcept {
  for (auto found = match(buckets_[bucket], tag); found; found &= found - 1) {
    const Place place{bucket, static_cast<unsigned>(std::countr_zero(found))};
    if (flow_at(place).key == key) return place;
  }
  return {};
}

FlowTable::Place FlowTable::find(const FlowKey& key, const Looked& looked) noexcept {
  const auto tag = tag_of(looked.hash);
  const auto place = find_in(looked.home, key, tag);
  if (place.slot != places || buckets_[looked.home].elsewhere == 0) return place;
  return find_in(other_of(looked.hash), key, tag);
}

void FlowTable::count(FlowPacket& packet, const Looked& looked) noexcept {
  Place place = looked.place;
  // Earlier packets of this Burst may have made the flow, or taken its place.
  if (place.slot == places || flow_at(place).key != packet.key || buckets_[place.bucket].tags[place.slot] == 0)
      [[unlikely]]
    place = find(packet.key, looked);
  if (place.slot == places) [[unlikely]] {
    packet.before = 0;
    return insert(packet, looked);
  }
  Flow& flow = flow_at(place);
  if (has_ended(flow, packet)) [[unlikely]] {
    if (give(flow, flow.fins == 3 ? format::FlowEnd::fin : format::FlowEnd::idle)) {
      begin(flow, packet);
      buckets_[place.bucket].closing &= ~(1u << place.slot);
    }
  } else if (since_ns(flow.first_ns, packet.time_ns) >= options_.active_ns) [[unlikely]] {
    if (give(flow, format::FlowEnd::active)) begin_record(flow, packet);
  }
  const unsigned way = packet.from_high ^ flow.from_high;
  packet.before = flow.frame_bytes;
  flow.frame_bytes += packet.wirelen;
  flow.last_ns = std::max(flow.last_ns, packet.time_ns);
  ++flow.packets[way];
  flow.bytes[way] += packet.ip_bytes;
  flow.tcp_flags[way] |= packet.tcp_flags;
  auto& seen = buckets_[place.bucket].seen[place.slot];
  if (const auto now = units(packet.time_ns); since(seen, now) >= grain_units_) seen = now;
  if (packet.tcp_flags & (tcp::fin | tcp::rst)) [[unlikely]]
    note_end(place, packet, way);
}

// The flow is over, though age() has not reached it: this packet begins another one.
bool FlowTable::has_ended(const Flow& flow, const FlowPacket& packet) const noexcept {
  const auto silent = since_ns(flow.last_ns, packet.time_ns);
  if (silent >= options_.idle_ns) return true;
  if (flow.fins != 3) [[likely]]
    return false;
  const bool opens = (packet.tcp_flags & (tcp::syn | tcp::ack)) == tcp::syn;
  return opens || silent >= std::min(closing_ns, options_.idle_ns);
}

// RFC 9293: each direction ends by its FIN, both by an RST.
void FlowTable::note_end(Place place, const FlowPacket& packet, unsigned way) noexcept {
  Flow& flow = flow_at(place);
  flow.fins = static_cast<std::uint8_t>(flow.fins | (packet.tcp_flags & tcp::rst ? 3 : 1 << way));
  if (flow.fins == 3) buckets_[place.bucket].closing |= 1u << place.slot;
}

void FlowTable::begin(Flow& flow, const FlowPacket& packet) noexcept {
  flow.key = packet.key;
  flow.from_high = packet.from_high;
  flow.port = packet.port;
  flow.frame_bytes = 0;
  flow.fins = 0;
  begin_record(flow, packet);
}

void FlowTable::begin_record(Flow& flow, const FlowPacket& packet) noexcept {
  flow.first_ns = flow.last_ns = packet.time_ns;
  flow.packets = flow.bytes = {};
  flow.tcp_flags = {};
  ++counters_.begun;
}

// ---- room for new flows

void FlowTable::insert(const FlowPacket& packet, const Looked& looked) noexcept {
  const Place place = place_for(looked);
  auto& bucket = buckets_[place.bucket];
  bucket.tags[place.slot] = tag_of(looked.hash);
  bucket.seen[place.slot] = units(packet.time_ns);
  bucket.closing &= ~(1u << place.slot);
  if (place.bucket != looked.home) ++buckets_[looked.home].elsewhere;
  Flow& flow = flow_at(place);
  begin(flow, packet);
  flow.packets[0] = 1;
  flow.bytes[0] = packet.ip_bytes;
  flow.frame_bytes = packet.wirelen;
  flow.tcp_flags[0] = packet.tcp_flags;
  if (packet.tcp_flags & (tcp::fin | tcp::rst)) note_end(place, packet, 0);
}

FlowTable::Place FlowTable::free_place(std::size_t bucket) const noexcept {
  const auto found = match(buckets_[bucket], 0);
  return found ? Place{bucket, static_cast<unsigned>(std::countr_zero(found))} : Place{};
}

// A place in the first bucket while that has room to spare, else in the emptier of both.
FlowTable::Place FlowTable::place_for(const Looked& looked) noexcept {
  const auto used = [this](std::size_t bucket) {
    return places - static_cast<std::size_t>(std::popcount(match(buckets_[bucket], 0)));
  };
  const auto at_home = used(looked.home);
  if (at_home < comfortable) return free_place(looked.home);
  const auto other = other_of(looked.hash);
  const auto place = free_place(used(other) < at_home ? other : looked.home);
  if (place.slot != places) return place;
  const auto silent = oldest(looked.home, other);
  Flow& flow = flow_at(silent);
  flow.end = format::FlowEnd::full;
  ++counters_.full;
  give_or_lose(flow);
  remove(silent);
  return silent;
}

FlowTable::Place FlowTable::oldest(std::size_t home, std::size_t other) const noexcept {
  Place oldest{home, 0};
  for (const auto bucket : {home, other})
    for (unsigned slot = 0; slot < places; ++slot) {
      const auto seen = buckets_[bucket].seen[slot], least = buckets_[oldest.bucket].seen[oldest.slot];
      if (static_cast<std::int32_t>(seen - least) < 0) oldest = {bucket, slot};
    }
  return oldest;
}

// ---- records that end

// False: the ring is full, and the record goes on.
bool FlowTable::give(Flow& flow, format::FlowEnd end) noexcept {
  flow.end = end;
  if (ring_ && !ring_->push(flow)) return false;
  ++counters_.ended;
  return true;
}

void FlowTable::give_or_lose(Flow& flow) noexcept {
  while (ring_ && !ring_->push(flow)) {
    if (wait_) {
      wait_();
      continue;
    }
    ++counters_.lost;
    counters_.lost_packets.add(flow.packets[0] + flow.packets[1]);
    break;
  }
  ++counters_.ended;
}

void FlowTable::remove(Place place) noexcept {
  const auto home = home_of(flow_at(place).key.hash(options_.seed));
  if (home != place.bucket) --buckets_[home].elsewhere;
  buckets_[place.bucket].tags[place.slot] = 0;
  buckets_[place.bucket].closing &= ~(1u << place.slot);
}

void FlowTable::age(Timestamp now, std::size_t most_buckets) noexcept {
  if (now.ns <= aged_ns_) {
    aged_ns_ = now.ns;
    return;
  }
  const auto elapsed = std::min(now.ns - aged_ns_, period_ns_);
  const auto due = static_cast<std::size_t>(static_cast<Wide>(buckets_.size()) * elapsed / period_ns_);
  if (due == 0) return;
  aged_ns_ = now.ns;
  for (auto left = std::min(due, most_buckets); left > 0; --left) {
    __builtin_prefetch(&buckets_[(cursor_ + look_ahead) % buckets_.size()]);
    if (!end_old(cursor_, units(now.ns))) return;
    cursor_ = cursor_ + 1 == buckets_.size() ? 0 : cursor_ + 1;
  }
}

// False: the ring is full.
bool FlowTable::end_old(std::size_t number, std::uint32_t now) noexcept {
  auto& bucket = buckets_[number];
  for (unsigned slot = 0; slot < places; ++slot) {
    if (bucket.tags[slot] == 0) continue;
    const bool closing = bucket.closing >> slot & 1;
    const auto most = closing ? closing_units_ : idle_units_;
    if (since(bucket.seen[slot], now) <= most) continue;
    Flow& flow = flow_at({number, slot});
    if (since(units(flow.last_ns), now) <= most) continue;  // seen[] may be behind
    if (!give(flow, closing ? format::FlowEnd::fin : format::FlowEnd::idle)) return false;
    remove({number, slot});
  }
  return true;
}

}  // namespace wirespool::flow

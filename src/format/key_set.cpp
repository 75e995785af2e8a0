// SPDX-License-Identifier: BSD-3-Clause
#include "format/key_set.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace wirespool::format {
namespace {

constexpr std::size_t words = std::tuple_size_v<FilterLine>;

// The filter is halved as long as at most this part of its bits is set: a key that is not there then finds its eight
// bits set by chance once in 1 / 0.5^8 = 256 times.
constexpr double fullest = 0.5;
// A filter fuller than this tells too little to be worth its bytes.
constexpr double useless = 0.8;

// The line comes from the upper bits, so that a filter is halved by joining each line with the one half a filter away;
// the bits within the line come from the lower 40.
constexpr std::size_t line_of(FlowKey key, std::size_t lines) noexcept { return (key.hash >> 40) & (lines - 1); }
constexpr std::uint32_t bit_of(FlowKey key, std::size_t word) noexcept {
  return std::uint32_t{1} << (key.hash >> (5 * word) & 31);
}

// What filters are folded by: words of 64 bits, as many bits at once as an instruction counts.
using Wide = std::array<std::uint64_t, words / 2>;

std::size_t bits_in(const Wide& line) noexcept {
  std::size_t set = 0;
  for (const auto word : line) set += static_cast<std::size_t>(std::popcount(word));
  return set;
}

double share(std::size_t set, std::size_t lines) noexcept {
  return static_cast<double>(set) / static_cast<double>(lines * sizeof(FilterLine) * 8);
}

double fullness(std::span<const FilterLine> lines) noexcept {
  std::size_t set = 0;
  for (const auto& line : lines) set += bits_in(std::bit_cast<Wide>(line));
  return share(set, lines.size());
}

// Each line joined with the one half a filter away; how full that is.
double join_halves(std::span<const FilterLine> lines, FilterLine* to) noexcept {
  const auto half = lines.size() / 2;
  std::size_t set = 0;
  for (std::size_t i = 0; i < half; ++i) {
    auto joined = std::bit_cast<Wide>(lines[i]);
    const auto other = std::bit_cast<Wide>(lines[i + half]);
    for (std::size_t w = 0; w < joined.size(); ++w) joined[w] |= other[w];
    set += bits_in(joined);
    to[i] = std::bit_cast<FilterLine>(joined);
  }
  return share(set, half);
}

// ---- frames that most are: untagged IPv4 with a header of 20 bytes, no later fragment, whole up to the ports. Only
// where their fields lie; what they are is flow_key's matter.

constexpr std::size_t plain_bytes = 38, ip_at = 14, fragment_at = 20, protocol_at = 23, addresses_at = 26,
                      ports_at = 34;

bool is_plain(std::span<const std::byte> frame) noexcept {
  constexpr std::uint16_t ipv4 = swap_bytes(ether_types::ipv4), offset_bits = swap_bytes(std::uint16_t{0x1fff});
  return frame.size() >= plain_bytes && load<std::uint16_t>(frame, tag_offset) == ipv4 &&
         (frame[ip_at] & std::byte{0xf}) == std::byte{5} &&
         (load<std::uint16_t>(frame, fragment_at) & offset_bits) == 0;
}

// Two numbers that follow each other in the frame, whatever their order there. Without a branch: nobody can predict who
// of two is the larger one.
template <class T>
std::uint64_t ordered(std::span<const std::byte> frame, std::size_t offset) noexcept {
  const std::uint64_t a = load<T>(frame, offset), b = load<T>(frame, offset + sizeof(T));
  const auto swapped = (a ^ b) & (std::uint64_t{0} - std::uint64_t{a < b});
  return (b ^ swapped) << (8 * sizeof(T)) | (a ^ swapped);
}

}  // namespace

bool KeySet::may_contain(FlowKey key) const noexcept {
  if (lines_.empty()) return true;
  const auto line = load<FilterLine>(lines_, line_of(key, lines_.size() / sizeof(FilterLine)) * sizeof(FilterLine));
  for (std::size_t w = 0; w < words; ++w) {
    if ((line[w] & bit_of(key, w)) == 0) return false;
  }
  return true;
}

bool KeySet::may_match(const FlowCondition& condition) const noexcept {
  const auto matches = [this](const FlowCondition& part) { return may_match(part); };
  switch (condition.kind) {
    case FlowCondition::Kind::anything:
      return true;
    case FlowCondition::Kind::key:
      return may_contain(condition.key);
    case FlowCondition::Kind::all:
      return std::ranges::all_of(condition.parts, matches);
    case FlowCondition::Kind::any:
      return std::ranges::any_of(condition.parts, matches);
  }
  return true;
}

KeyCollector::KeyCollector() : lines_(std::make_unique<Lines>()), recent_(std::make_unique<Recent>()) {}

// One bit in each word, out of the hash's lower 40: as arithmetic on all words at once.
void KeyCollector::insert(FlowKey key) noexcept {
  constexpr FilterLine shifts{0, 5, 10, 15, 20, 25, 0, 5};
  const auto low = static_cast<std::uint32_t>(key.hash), high = static_cast<std::uint32_t>(key.hash >> 30);
  const FilterLine from{low, low, low, low, low, low, high, high};
  ++inserted_;
  auto& line = lines_->all[line_of(key, most_lines)];
  for (std::size_t w = 0; w < words; ++w) line[w] |= std::uint32_t{1} << (from[w] >> shifts[w] & 31);
}

// Keys are hashes of what they stand for that no two of these share (flow_key.cpp), so they can be compared.
bool KeyCollector::insert_new(FlowKey key) noexcept {
  auto& recent = recent_->keys[(key.hash >> 32) % recent_->keys.size()];
  if (recent == key.hash) return false;
  recent = key.hash;
  insert(key);
  return true;
}

// A flow that this Block has already, in either direction, has all its keys in it.
void KeyCollector::add(std::span<const std::byte> frame) noexcept {
  if (!is_plain(frame)) return add_other(frame);
  const auto protocol = static_cast<std::uint8_t>(frame[protocol_at]);
  const auto ports = has_ports(protocol) ? ordered<std::uint16_t>(frame, ports_at) : 0;
  const PlainFlow flow{ordered<std::uint32_t>(frame, addresses_at),
                       PlainFlow::is_there | std::uint64_t{protocol} << 32 | ports};
  const auto mixed = (flow.addresses * 0x9e3779b97f4a7c15) ^ (flow.rest * 0xc2b2ae3d27d4eb4f);
  auto& recent = recent_->plain[(mixed >> 40) % recent_->plain.size()];
  if (recent == flow) [[likely]]
    return;
  recent = flow;
  add_keys_of_plain(frame, protocol);
}

// Whoever has a key of an address has those of its shorter prefixes.
void KeyCollector::add_keys_of_plain(std::span<const std::byte> frame, std::uint8_t protocol) noexcept {
  if (!std::exchange(recent_->protocols[protocol], true)) {
    insert(ether_type_key(ether_types::ipv4));
    insert(protocol_key(protocol));
  }
  for (std::size_t end = 0; end < 2; ++end) {
    const auto address = swap_bytes(load<std::uint32_t>(frame, addresses_at + 4 * end));
    for (auto bits = ipv4_prefixes.rbegin(); bits != ipv4_prefixes.rend(); ++bits)
      if (!insert_new(ipv4_key(address, *bits))) break;
    if (has_ports(protocol)) insert_new(port_key(load_be16(frame, ports_at + 2 * end)));
  }
}

// Whole fields are compared, not hashes: nobody can hide packets behind a collision.
bool KeyCollector::seen(const FlowFields& fields) noexcept {
  if (fields.tags > 1) return false;
  const auto mixed = (fields.addresses[0].low * 0x9e3779b97f4a7c15) ^ (fields.addresses[1].low * 0xc2b2ae3d27d4eb4f) ^
                     (std::uint64_t{fields.ports[0]} << 16 | fields.ports[1]) * 0x165667b19e3779f9;
  auto& recent = recent_->others[(mixed >> 40) % recent_->others.size()];
  if (recent == fields) return true;
  recent_->any_other = true;
  recent = fields;
  return false;
}

void KeyCollector::add_other(std::span<const std::byte> frame) noexcept {
  const auto fields = flow_fields(frame);
  if (fields.ether_type == 0 && fields.tags == 0) return;
  if (!seen(fields)) for_each_flow_key(frame, fields, [this](FlowKey key) { insert(key); });
}

// Brings the filter to its final size at the front of the lines. As long as the keys cannot have set too many bits,
// eight each, halves are joined without counting these.
std::uint32_t KeyCollector::fold() noexcept {
  auto size = most_lines;
  while (size > 1 && share(inserted_ * words, size / 2) <= fullest) size /= 2;
  auto lines = std::span<FilterLine>(lines_->all);
  for (std::size_t i = size; i < most_lines; ++i)
    for (std::size_t w = 0; w < words; ++w) lines[i % size][w] |= lines[i][w];
  lines = lines.first(size);
  while (lines.size() > 1 && join_halves(lines, lines_->joined.data()) <= fullest) {
    lines = lines.first(lines.size() / 2);
    std::copy_n(lines_->joined.begin(), lines.size(), lines.begin());
  }
  const bool whole = lines.size() == most_lines;
  return whole && fullness(lines) > useless ? 0 : static_cast<std::uint32_t>(lines.size());
}

void KeyCollector::clear() noexcept {
  inserted_ = 0;
  lines_->all.fill({});
  recent_->plain.fill({});
  recent_->keys.fill(0);
  recent_->protocols.fill(false);
  if (std::exchange(recent_->any_other, false)) recent_->others.fill({});
}

std::uint32_t KeyCollector::take(std::span<FilterLine, most_lines> to) noexcept {
  const auto lines = fold();
  std::copy_n(lines_->all.begin(), lines, to.begin());
  clear();
  return lines;
}

std::uint32_t KeyCollector::take(std::vector<std::byte>& to) {
  const auto lines = fold();
  const auto bytes = std::as_bytes(std::span(lines_->all).first(lines));
  to.insert(to.end(), bytes.begin(), bytes.end());
  clear();
  return lines;
}

}  // namespace wirespool::format

// SPDX-License-Identifier: BSD-3-Clause
#include "format/key_set.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

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

double fullness(std::span<const FilterLine> lines) noexcept {
  std::size_t set = 0;
  for (const auto& line : lines) {
    for (const auto word : line) set += static_cast<std::size_t>(std::popcount(word));
  }
  return static_cast<double>(set) / static_cast<double>(lines.size() * sizeof(FilterLine) * 8);
}

double fullness_if_halved(std::span<const FilterLine> lines) noexcept {
  const auto half = lines.size() / 2;
  std::size_t set = 0;
  for (std::size_t i = 0; i < half; ++i) {
    for (std::size_t w = 0; w < words; ++w)
      set += static_cast<std::size_t>(std::popcount(lines[i][w] | lines[i + half][w]));
  }
  return static_cast<double>(set) / static_cast<double>(half * sizeof(FilterLine) * 8);
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

KeyCollector::KeyCollector()
    : lines_(std::make_unique<std::array<FilterLine, most_lines>>()),
      recent_(std::make_unique<std::array<FlowFields, recent_flows>>()) {}

void KeyCollector::insert(FlowKey key) noexcept {
  auto& line = (*lines_)[line_of(key, most_lines)];
  for (std::size_t w = 0; w < words; ++w) line[w] |= bit_of(key, w);
}

// Whole fields are compared, not hashes: nobody can hide packets behind a collision.
bool KeyCollector::seen(const FlowFields& fields) noexcept {
  if (fields.tags > 1) return false;
  const auto mixed = (fields.addresses[0].low * 0x9e3779b97f4a7c15) ^ (fields.addresses[1].low * 0xc2b2ae3d27d4eb4f) ^
                     (std::uint64_t{fields.ports[0]} << 16 | fields.ports[1]) * 0x165667b19e3779f9;
  auto& recent = (*recent_)[(mixed >> 40) % recent_flows];
  if (recent == fields) return true;
  recent = fields;
  return false;
}

void KeyCollector::add(std::span<const std::byte> frame) noexcept {
  const auto fields = flow_fields(frame);
  if (fields.ether_type == 0 && fields.tags == 0) return;
  if (!seen(fields)) for_each_flow_key(frame, fields, [this](FlowKey key) { insert(key); });
}

// Brings the filter to its final size at the front of lines_.
std::uint32_t KeyCollector::fold() noexcept {
  auto lines = std::span<FilterLine>(*lines_);
  if (fullness(lines) > useless) return 0;
  while (lines.size() > 1 && fullness_if_halved(lines) <= fullest) {
    const auto half = lines.size() / 2;
    for (std::size_t i = 0; i < half; ++i) {
      for (std::size_t w = 0; w < words; ++w) lines[i][w] |= lines[i + half][w];
    }
    lines = lines.first(half);
  }
  return static_cast<std::uint32_t>(lines.size());
}

void KeyCollector::clear() noexcept {
  lines_->fill({});
  recent_->fill({});
}

std::uint32_t KeyCollector::take(std::span<FilterLine, most_lines> to) noexcept {
  const auto lines = fold();
  std::copy_n(lines_->begin(), lines, to.begin());
  clear();
  return lines;
}

std::uint32_t KeyCollector::take(std::vector<std::byte>& to) {
  const auto lines = fold();
  const auto bytes = std::as_bytes(std::span(*lines_).first(lines));
  to.insert(to.end(), bytes.begin(), bytes.end());
  clear();
  return lines;
}

}  // namespace wirespool::format

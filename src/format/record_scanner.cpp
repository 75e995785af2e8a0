// SPDX-License-Identifier: BSD-3-Clause
#include "format/record_scanner.hpp"

#include <algorithm>

#include "format/bytes.hpp"

namespace wirespool::format {
namespace {

Timestamp minus(Timestamp time, std::uint64_t ns) { return Timestamp{time.ns > ns ? time.ns - ns : 0}; }
Timestamp plus(Timestamp time, std::uint64_t ns) {
  return Timestamp{ns > TimeLimits::any - time.ns ? TimeLimits::any : time.ns + ns};
}

}  // namespace

std::optional<FoundRecord> RecordScanner::plausible(std::span<const std::byte> bytes,
                                                    Timestamp previous) const noexcept {
  const auto found = form_.at(bytes);
  if (!found || found->time < std::max(limits_.not_before, minus(previous, limits_.may_go_back_ns)))
    return std::nullopt;
  return found;
}

std::uint32_t RecordScanner::evidence_of(const RecordHead& head) const noexcept {
  if (head.caplen == 0) return 0;
  return head.caplen == std::min(head.wirelen, form_.snaplen()) ? 2 : 1;
}

// Looks at one offset, after all later ones.
std::uint32_t RecordScanner::chain_from(std::span<const std::byte> bytes, std::size_t offset, std::size_t data_end,
                                        const ChainLimits& limits) const noexcept {
  const auto head = plausible(bytes.subspan(offset), Timestamp{});
  if (!head) return 0;
  if (head->time < limits.from || head->time > limits.to) return 0;
  const auto end = offset + head->bytes;
  const auto evidence = evidence_of(*head);
  if (end > bytes.size()) return 1;          // cut by the end
  if (end >= data_end) return 1 + evidence;  // the last one
  const auto rest = bytes.subspan(end);
  if (rest.size() < form_.front_bytes()) return 1 + evidence;  // followed by a header that is cut
  if (chains_[end] == 0) return 0;
  const auto next = plausible(rest, head->time);
  if (!next || next->time > plus(head->time, limits.may_go_on_ns)) return 0;
  return chains_[end] + evidence;
}

bool RecordScanner::behind_damage(std::span<const std::byte> bytes, Timestamp previous) const noexcept {
  if (previous == Timestamp{}) return true;
  const auto found = form_.at(bytes);
  const auto time = found ? found->time : Timestamp{};
  return time >= minus(previous, limits_.may_go_back_behind_damage_ns) &&
         time <= plus(previous, limits_.may_go_on_behind_damage_ns);
}

std::optional<std::size_t> RecordScanner::find(std::span<const std::byte> bytes, Timestamp previous, bool complete) {
  constexpr Timestamp latest{TimeLimits::any};
  const bool anything_is_likely = limits_.likely_from <= limits_.not_before && limits_.likely_to == latest;
  if (!anything_is_likely) {
    const ChainLimits likely{limits_.likely_from, limits_.likely_to, TimeLimits::any, 1};
    if (const auto found = find_chain(bytes, previous, complete, likely)) return found;
  }
  return find_chain(bytes, previous, complete, {limits_.not_before, latest, limits_.may_go_on_ns, 2});
}

std::optional<std::size_t> RecordScanner::find_chain(std::span<const std::byte> bytes, Timestamp previous,
                                                     bool complete, const ChainLimits& limits) {
  if (bytes.size() < form_.front_bytes()) return std::nullopt;
  const auto data_end = complete ? bytes.size() - trailing_zeros(bytes) : bytes.size();
  const auto last = bytes.size() - form_.front_bytes();
  chains_.assign(bytes.size() + 1, 0);
  for (auto offset = last + 1; offset-- > 0;) {
    if (offset < data_end) chains_[offset] = chain_from(bytes, offset, data_end, limits);
  }
  const auto candidates = complete ? last + 1 : bytes.size() - std::min(bytes.size(), confirm_bytes);
  std::optional<std::size_t> best;
  for (std::size_t offset = 0; offset < candidates; ++offset) {
    const bool better = chains_[offset] > limits.evidence && (!best || chains_[offset] > chains_[*best]);
    if (better && behind_damage(bytes.subspan(offset), previous)) best = offset;
  }
  return best;
}

std::size_t leading_zeros(std::span<const std::byte> bytes) noexcept {
  std::size_t zeros = 0;
  while (zeros + 8 <= bytes.size() && load<std::uint64_t>(bytes, zeros) == 0) zeros += 8;
  while (zeros < bytes.size() && bytes[zeros] == std::byte{0}) ++zeros;
  return zeros;
}

std::size_t trailing_zeros(std::span<const std::byte> bytes) noexcept {
  auto end = bytes.size();
  while (end >= 8 && load<std::uint64_t>(bytes, end - 8) == 0) end -= 8;
  while (end > 0 && bytes[end - 1] == std::byte{0}) --end;
  return bytes.size() - end;
}

}  // namespace wirespool::format

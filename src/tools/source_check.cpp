// SPDX-License-Identifier: BSD-3-Clause
#include "tools/source_check.hpp"

#include <fmt/format.h>

#include "format/pcapng.hpp"
#include "format/pcapng_records.hpp"

namespace wirespool::tools {

void SourceCheck::packet(std::span<const std::byte> block) {
  const auto record = format::PcapngRecords::record_of(block);
  if (!record) return;
  auto& seen = seen_[record->source];
  seen.packets += 1;
  seen.missing += record->missing;
}

void SourceCheck::other(std::span<const std::byte> block) {
  if (format::load<std::uint32_t>(block) != format::pcapng_interface_statistics) return;
  const auto statistics = format::read_pcapng_statistics(block);
  if (!statistics) {
    ++unreadable_;
    return;
  }
  const auto& tally = statistics->tally;
  const bool adds_up = statistics->received == tally.packets + tally.missing.sum() &&
                       statistics->filter_accepted == tally.packets + tally.missing.drop_handoff;
  if (!adds_up) ++contradicting_;
  if (!told_.emplace(statistics->interface, tally).second) ++twice_;
}

std::vector<std::string> SourceCheck::problems() const {
  std::vector<std::string> problems;
  const auto count = [&problems](std::uint64_t number, const char* what) {
    if (number > 0) problems.push_back(fmt::format("{} statistics of interfaces {}", number, what));
  };
  count(unreadable_, "cannot be read");
  count(twice_, "are of one that has some already");
  count(contradicting_, "do not add up");
  for (const auto& [source, told] : told_) {
    const auto found = seen_.find(source);
    const auto seen = found == seen_.end() ? Seen() : found->second;
    if (seen.packets != told.packets)
      problems.push_back(fmt::format("the statistics of interface {} tell of {} packets, the file has {}", source,
                                     told.packets, seen.packets));
    if (seen.missing + told.behind_last != told.missing.sum())
      problems.push_back(fmt::format(
          "the statistics of interface {} tell of {} packets lost, {} of them behind the last, its packets of {}",
          source, told.missing.sum(), told.behind_last, seen.missing));
  }
  return problems;
}

format::MissingPackets SourceCheck::missing() const {
  format::MissingPackets sum;
  for (const auto& [source, told] : told_) sum += told.missing;
  return sum;
}

std::uint64_t SourceCheck::missing_in_records() const {
  std::uint64_t sum = 0;
  for (const auto& [source, seen] : seen_) sum += seen.missing;
  return sum;
}

std::uint64_t SourceCheck::without_statistics() const {
  std::uint64_t sum = 0;
  for (const auto& [source, seen] : seen_)
    if (!told_.contains(source)) sum += seen.packets;
  return sum;
}

}  // namespace wirespool::tools

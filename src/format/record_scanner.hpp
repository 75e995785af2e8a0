// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "format/record_form.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::format {

// When a record can have been captured. A clock may have been wrong by years and corrected between two records: so no
// time is impossible, and between two adjacent records only the order is checked.
struct TimeLimits {
  static constexpr std::uint64_t any = std::numeric_limits<std::uint64_t>::max();

  Timestamp not_before{1};
  // Where it is not known where records begin: chains with all their times within these limits are looked for first;
  // only if there is none, those whose times advance by at most `may_go_on_ns` from one record to the next.
  Timestamp likely_from{1};
  Timestamp likely_to{any};
  std::uint64_t may_go_on_ns = any;
  // From one record to the next; where bytes were lost, from the last record before the loss to the first one after it.
  std::uint64_t may_go_back_ns = 0;
  std::uint64_t may_go_back_behind_damage_ns = 0;
  std::uint64_t may_go_on_behind_damage_ns = any;
};

// Tells record headers from other bytes, and finds the first record in bytes that may begin anywhere. Allocates.
class RecordScanner {
 public:
  // A chain of records has to go on for this long to be believed, unless the bytes end before: longer than any frame on
  // a wire, so that a capture file carried inside a packet is not taken for the file itself.
  static constexpr std::size_t confirm_bytes = 128 * 1024;
  // What find() is best given: enough to look through and to confirm what is found.
  static constexpr std::size_t window_bytes = 1 << 20;

  RecordScanner(RecordForm form, TimeLimits limits) : form_(std::move(form)), limits_(limits) {}

  const RecordForm& form() const { return form_; }

  // The record at the front of `bytes`, if it can follow one of time `previous` (zero: not known). `bytes` holds at
  // least a header.
  std::optional<FoundRecord> plausible(std::span<const std::byte> bytes, Timestamp previous) const noexcept;

  // The offset of the first record in `bytes`: of all chains of plausible records that lead to the end of `bytes`, the
  // one with the most evidence, and of equals the one that begins first. A record without any bytes of its packet is no
  // evidence: zeros in a payload look like that. One whose two lengths agree is twice the evidence of another, and
  // outside the likely times one that does not agree is not enough: a record's lengths and the addresses behind them
  // look like that. `complete`: nothing follows `bytes`; a chain then leads to the end if only zeros follow it.
  // Otherwise records that begin in the last confirm_bytes are not reported.
  std::optional<std::size_t> find(std::span<const std::byte> bytes, Timestamp previous, bool complete);

 private:
  // Limits for the times of a chain, and for the steps from one record to the next; what it has to show at least.
  struct ChainLimits {
    Timestamp from, to;
    std::uint64_t may_go_on_ns;
    std::uint32_t evidence;
  };

  bool behind_damage(std::span<const std::byte> bytes, Timestamp previous) const noexcept;
  std::optional<std::size_t> find_chain(std::span<const std::byte> bytes, Timestamp previous, bool complete,
                                        const ChainLimits& limits);
  std::uint32_t evidence_of(const RecordHead& head) const noexcept;
  std::uint32_t chain_from(std::span<const std::byte> bytes, std::size_t offset, std::size_t data_end,
                           const ChainLimits& limits) const noexcept;

  RecordForm form_;
  TimeLimits limits_;
  std::vector<std::uint32_t> chains_;  // for each offset: 1 + evidence of the chain to the end; 0: no such chain
};

// How many bytes at the front, or at the end, are zero.
std::size_t leading_zeros(std::span<const std::byte> bytes) noexcept;
std::size_t trailing_zeros(std::span<const std::byte> bytes) noexcept;

}  // namespace wirespool::format

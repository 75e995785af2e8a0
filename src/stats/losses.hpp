// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/ledger_line.hpp"

namespace wirespool::stats {

// Packets lost by one cause: all of those counted; if `unknown`, some device does not count them, and there may be
// more.
struct Loss {
  std::uint64_t packets = 0;
  bool unknown = false;

  bool operator==(const Loss&) const = default;
};

// What a capture lost, by cause, on all its ports. README.md says what each cause is.
struct Losses {
  Loss nic_missed, nic_errors, nic_other, no_mbuf, cut_by_driver;
  std::uint64_t drop_handoff = 0, drop_drive = 0;

  std::uint64_t sum() const;  // that were counted
  bool any_unknown() const;
  Losses& operator+=(const Losses& other);
  Losses operator-(const Losses& other) const;  // none below zero
};

Losses losses_of(const format::LedgerLine& line);

// What was lost by each cause that anything counts: by name, zeros included. Their sum is losses_of(line).sum().
std::vector<std::pair<std::string, std::uint64_t>> counted_causes(const format::LedgerLine& line);

// What to do about losses, by cause: a few words.
struct Advice {
  std::string_view cause, words;
};
std::span<const Advice> loss_advice();
std::string_view advice_on(std::string_view cause);  // empty if there is no such cause

// " nic_missed 3 drop_drive 1": the causes that are not zero; empty if there is none.
std::string counted_losses(const Losses& losses);
// " nic_errors no_mbuf": the causes that some device does not count; empty if there is none.
std::string unknown_losses(const Losses& losses);

}  // namespace wirespool::stats

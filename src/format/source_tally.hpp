// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>

namespace wirespool::format {

// Packets of a source that are in no file because they were lost on the way to it, by the ledger's causes.
struct MissingPackets {
  std::uint64_t nic_missed = 0, nic_errors = 0, nic_other = 0, no_mbuf = 0, drop_handoff = 0;

  bool operator==(const MissingPackets&) const = default;
  std::uint64_t at_nic() const noexcept { return nic_missed + nic_errors + nic_other + no_mbuf; }
  std::uint64_t sum() const noexcept { return at_nic() + drop_handoff; }

  MissingPackets& operator+=(const MissingPackets& other) noexcept {
    nic_missed += other.nic_missed;
    nic_errors += other.nic_errors;
    nic_other += other.nic_other;
    no_mbuf += other.no_mbuf;
    drop_handoff += other.drop_handoff;
    return *this;
  }

  // Takes `packets` of these out, or all if they are fewer; returns what it took.
  MissingPackets take(std::uint64_t packets) noexcept {
    const auto some = [&packets](std::uint64_t& from) {
      const auto taken = std::min(from, packets);
      from -= taken;
      packets -= taken;
      return taken;
    };
    return {some(nic_missed), some(nic_errors), some(nic_other), some(no_mbuf), some(drop_handoff)};
  }
};

// What a stretch of a file has of one source.
struct SourceTally {
  std::uint64_t packets = 0;
  MissingPackets missing;         // in front of these, and after the last one
  std::uint64_t behind_last = 0;  // of `missing`, those that no record mentions

  SourceTally& operator+=(const SourceTally& other) noexcept {
    packets += other.packets;
    missing += other.missing;
    behind_last += other.behind_last;
    return *this;
  }
  bool empty() const noexcept { return packets == 0 && missing.sum() == 0; }
};

}  // namespace wirespool::format

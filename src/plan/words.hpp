// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>

#include "options/read.hpp"
#include "plan/capture_config.hpp"
#include "plan/machine.hpp"

namespace wirespool::plan {

// The words that options take and plans show, once for each choice, in the order --help lists them.
const options::Choices<Until>& words_of(Until);
const options::Choices<HandoffKind>& words_of(HandoffKind);
const options::Choices<WhenFull>& words_of(WhenFull);
const options::Choices<Rss>& words_of(Rss);
const options::Choices<TimestampSource>& words_of(TimestampSource);
const options::Choices<OnFailure>& words_of(OnFailure);
const options::Choices<Io>& words_of(Io);
const options::Choices<FileFormat>& words_of(FileFormat);
const options::Choices<IndexLevel>& words_of(IndexLevel);
const options::Choices<Idle>& words_of(Idle);
const options::Choices<CutoffThen>& words_of(CutoffThen);
const options::Choices<FlowFormat>& words_of(FlowFormat);
const options::Choices<StatsOutput>& words_of(StatsOutput);
const options::Choices<FilterEngine>& words_of(FilterEngine);  // of plans alone

template <typename Choice>
std::string_view word(Choice choice) {
  for (const auto& [word, value] : words_of(choice)) {
    if (value == choice) return word;
  }
  return "";
}

// Defaults where neither the user nor the device decides. --help shows them.
inline constexpr unsigned usual_rx_desc = 1024;      // for a port that is fed from a file
inline constexpr unsigned least_nic_rx_desc = 2048;  // for others
// Packets of a Handoff. Where a full one loses packets it bridges a writer's pause: 8192 packets are 1.3 ms of a 40
// Gbit/s backbone mix. Where the source waits, a short one keeps the packets in the CPU's caches, which is worth half
// the rate at 1514 bytes.
inline constexpr unsigned dropping_handoff = 8192;
inline constexpr unsigned waiting_handoff = 1024;

}  // namespace wirespool::plan

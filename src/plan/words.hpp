// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>

#include "options/read.hpp"
#include "plan/capture_config.hpp"

namespace wirespool::plan {

// The words that options take and plans show, once for each choice, in the order --help lists them.
const options::Choices<Until>& words_of(Until);
const options::Choices<HandoffKind>& words_of(HandoffKind);
const options::Choices<WhenFull>& words_of(WhenFull);
const options::Choices<Rss>& words_of(Rss);
const options::Choices<TimestampSource>& words_of(TimestampSource);
const options::Choices<OnPortFailure>& words_of(OnPortFailure);
const options::Choices<Io>& words_of(Io);
const options::Choices<IndexLevel>& words_of(IndexLevel);
const options::Choices<StatsOutput>& words_of(StatsOutput);

template <typename Choice>
std::string_view word(Choice choice) {
  for (const auto& [word, value] : words_of(choice)) {
    if (value == choice) return word;
  }
  return "";
}

}  // namespace wirespool::plan

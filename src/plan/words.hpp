// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>

#include "plan/capture_config.hpp"

namespace wirespool::plan {

// The words options and plans use for each choice.
constexpr std::string_view word(Until until) {
  switch (until) {
    case Until::rx:
      return "rx";
    case Until::handoff:
      return "handoff";
    case Until::block:
      return "block";
    case Until::disk:
      return "disk";
  }
  return "";
}

constexpr std::string_view word(HandoffKind handoff) { return handoff == HandoffKind::blocks ? "blocks" : "packets"; }
constexpr std::string_view word(WhenFull when_full) { return when_full == WhenFull::wait ? "wait" : "drop"; }

constexpr std::string_view word(Rss rss) {
  switch (rss) {
    case Rss::symmetric:
      return "symmetric";
    case Rss::device:
      return "device";
    case Rss::off:
      return "off";
  }
  return "";
}

constexpr std::string_view word(TimestampSource source) {
  switch (source) {
    case TimestampSource::automatic:
      return "auto";
    case TimestampSource::hw:
      return "hw";
    case TimestampSource::tsc:
      return "tsc";
  }
  return "";
}

constexpr std::string_view word(OnPortFailure on) { return on == OnPortFailure::stop ? "stop" : "continue"; }

constexpr std::string_view word(Io io) { return io == Io::pwrite ? "pwrite" : "uring"; }

constexpr std::string_view word(IndexLevel level) {
  return level == IndexLevel::off ? "off" : level == IndexLevel::time ? "time" : "flow";
}

constexpr std::string_view word(StatsOutput output) {
  switch (output) {
    case StatsOutput::automatic:
      return "auto";
    case StatsOutput::console:
      return "console";
    case StatsOutput::json:
      return "json";
    case StatsOutput::none:
      return "none";
  }
  return "";
}

}  // namespace wirespool::plan

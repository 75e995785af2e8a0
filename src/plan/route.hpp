// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "plan/capture_config.hpp"

namespace wirespool::plan {

// The way of the packets, by --until and --handoff: where they end, on which lcore Blocks are built, and what crosses
// between lcores. Used where a capture is planned and where its parts are put together; nothing else looks at --until.
enum class Route {
  ends_at_rx,     // nothing crosses, there is no writer
  packets_end,    // packets cross, and end at the writers
  packets_cross,  // packets cross; writers build Blocks
  blocks_cross,   // RX lcores build Blocks; full ones cross
  blocks_stay,    // RX lcores build Blocks; they end there, and there is no writer
};

constexpr Route route_of(const CaptureConfig& config) {
  const bool blocks = config.handoff == HandoffKind::blocks;
  switch (config.until) {
    case Until::rx:
      return Route::ends_at_rx;
    case Until::handoff:
      return blocks ? Route::blocks_cross : Route::packets_end;
    case Until::block:
      return blocks ? Route::blocks_stay : Route::packets_cross;
    case Until::disk:
      break;
  }
  return blocks ? Route::blocks_cross : Route::packets_cross;
}

constexpr bool has_writers(Route route) { return route != Route::ends_at_rx && route != Route::blocks_stay; }
constexpr bool builds_blocks(Route route) { return route != Route::ends_at_rx && route != Route::packets_end; }

// Whether Blocks are written; else they end as soon as they are full.
constexpr bool to_drives(const CaptureConfig& config) { return config.until == Until::disk; }

// Whether RX lcores have a table of flows.
inline bool follows_flows(const CaptureConfig& config) { return config.cutoff || !config.flows.empty(); }

}  // namespace wirespool::plan

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace wirespool::plan {

// How long the frames of a link are: each length with its share of all packets; shares add up to 1. Lengths are those
// on the wire with FCS, as data sheets give them: 64 to 9728.
struct MixPart {
  unsigned frame_bytes = 64;
  double share = 1;
};
struct TrafficMix {
  std::string name;
  std::vector<MixPart> parts;
};

// "imix" (64, 594 and 1518 bytes as 7:4:1), "caida" (as public traces of backbone links: 41 % short, 42 % full, mean
// near 780), one length ("1518"), or lengths with their weights ("64:7,594:4,1518:1").
std::expected<TrafficMix, std::string> parse_mix(std::string_view text);

double mean_bytes(const TrafficMix& mix);  // of a frame, with FCS

}  // namespace wirespool::plan

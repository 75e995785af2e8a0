// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

namespace wirespool::format {

// One thing that a packet can have: an address, a prefix, a port, a protocol, a VLAN. As the index knows it: mixed to
// 64 bits (src/format/README.md).
struct FlowKey {
  std::uint64_t hash = 0;
  bool operator==(const FlowKey&) const = default;
};

// What a Block must have among its packets' keys for any of its packets to match. It is only ever used to leave Blocks
// unread, so it may say too little but never too much. `filter/filter_reader` reads it out of an expression.
struct FlowCondition {
  enum class Kind { anything, key, all, any };

  Kind kind = Kind::anything;
  FlowKey key;                       // for Kind::key
  std::vector<FlowCondition> parts;  // for Kind::all and Kind::any

  static FlowCondition anything() { return {}; }
  static FlowCondition has(FlowKey key) { return {Kind::key, key, {}}; }
  static FlowCondition all(FlowCondition a, FlowCondition b);
  static FlowCondition any(FlowCondition a, FlowCondition b);
};

}  // namespace wirespool::format

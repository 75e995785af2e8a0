// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <vector>

namespace wirespool::format {

// One property of a packet: an address, a prefix, a port, a protocol, a VLAN. As the index has it: hashed to 64 bits
// (src/format/README.md).
struct FlowKey {
  std::uint64_t hash = 0;
  bool operator==(const FlowKey&) const = default;
};

// Which keys a Block must have for any of its packets to match. It is only used to leave Blocks unread, so it may
// require too little but never too much. `filter/filter_reader` derives it from an expression.
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

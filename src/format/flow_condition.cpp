// SPDX-License-Identifier: BSD-3-Clause
#include "format/flow_condition.hpp"

#include <utility>

namespace wirespool::format {
namespace {

void append(std::vector<FlowCondition>& parts, FlowCondition::Kind kind, FlowCondition condition) {
  if (condition.kind == kind) {
    for (auto& part : condition.parts) parts.push_back(std::move(part));
  } else {
    parts.push_back(std::move(condition));
  }
}

}  // namespace

FlowCondition FlowCondition::all(FlowCondition a, FlowCondition b) {
  if (a.kind == Kind::anything) return b;
  if (b.kind == Kind::anything) return a;
  FlowCondition both{Kind::all, {}, {}};
  append(both.parts, Kind::all, std::move(a));
  append(both.parts, Kind::all, std::move(b));
  return both;
}

FlowCondition FlowCondition::any(FlowCondition a, FlowCondition b) {
  if (a.kind == Kind::anything || b.kind == Kind::anything) return anything();
  FlowCondition either{Kind::any, {}, {}};
  append(either.parts, Kind::any, std::move(a));
  append(either.parts, Kind::any, std::move(b));
  return either;
}

}  // namespace wirespool::format

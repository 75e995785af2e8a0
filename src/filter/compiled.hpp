// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>

#include "filter/program.hpp"
#include "format/flow_condition.hpp"

namespace wirespool::filter {

// What a Filter holds.
struct Compiled {
  using Outcome = std::expected<Program, Error>;

  explicit Compiled(std::string the_expression);
  // Of packets of this link type: compiled when it is asked for first.
  const Outcome& program_for(std::uint32_t linktype);

  std::string expression;
  format::FlowCondition condition;  // of a Block: what follows for it if any of its packets matches

 private:
  std::map<std::uint32_t, Outcome> programs_;
};

}  // namespace wirespool::filter

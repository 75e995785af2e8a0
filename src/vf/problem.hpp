// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "vf/vf.hpp"

namespace wirespool::vf {

inline std::unexpected<VfProblem> not_ready(std::string message) {
  return std::unexpected(VfProblem{std::move(message), VfProblem::Kind::not_ready});
}
inline std::unexpected<VfProblem> wrong_use(std::string message) {
  return std::unexpected(VfProblem{std::move(message), VfProblem::Kind::wrong_use});
}
inline std::unexpected<VfProblem> failed(std::string message) {
  return std::unexpected(VfProblem{std::move(message), VfProblem::Kind::failed});
}

}  // namespace wirespool::vf

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string_view>

#include "wirespool/error.hpp"

namespace wirespool::vf {

// A line is "what: why: what to do".

inline std::unexpected<Error> not_ready(std::string_view line) {
  return std::unexpected(Error::of_line(line, Error::Kind::not_ready));
}
inline std::unexpected<Error> wrong_use(std::string_view line) {
  return std::unexpected(Error::of_line(line, Error::Kind::wrong_use));
}
inline std::unexpected<Error> failed(std::string_view line) {
  return std::unexpected(Error::of_line(line, Error::Kind::failed));
}

}  // namespace wirespool::vf

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <span>

#include "wirespool/error.hpp"

namespace wirespool::options {

// How the process ended; manual pages and scripts know these numbers.
enum Exit : int { done = 0, wrong_use = 1, machine_not_ready = 2, failed = 3, packets_lost = 4 };

constexpr Exit exit_of(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::wrong_use:
      return wrong_use;
    case Error::Kind::not_ready:
      return machine_not_ready;
    case Error::Kind::failed:
      break;
  }
  return failed;
}

// For several errors: wrong use comes before all else, because the user can mend it at once. Without errors: done.
inline Exit exit_of(std::span<const Error> errors) {
  if (errors.empty()) return done;
  const bool asked_wrong = std::ranges::find(errors, Error::Kind::wrong_use, &Error::kind) != errors.end();
  return asked_wrong ? wrong_use : exit_of(errors.front().kind);
}

}  // namespace wirespool::options

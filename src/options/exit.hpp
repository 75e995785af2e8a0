// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "wirespool/error.hpp"

namespace wirespool::options {

// What the process says of how it went; manual pages and scripts know these numbers.
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

}  // namespace wirespool::options

// SPDX-License-Identifier: BSD-3-Clause
#include "cli/reading.hpp"

#include "cli/errors.hpp"

namespace wirespool::cli {

void print_notices(const std::vector<std::string>& notices) {
  for (const auto& notice : notices) tell(error_line(notice));
}

}  // namespace wirespool::cli

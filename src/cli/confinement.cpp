// SPDX-License-Identifier: BSD-3-Clause
#include "cli/confinement.hpp"

#include "cli/errors.hpp"
#include "machine/write_places.hpp"

namespace wirespool::cli {

void write_only_in(const std::string& command, std::span<const std::string> paths) {
  if (!machine::has_write_places()) return;
  if (const auto done = machine::write_only_in(paths); !done)
    tell(error_line(command, done.error().message(), "files are read without that limit"));
}

}  // namespace wirespool::cli

// SPDX-License-Identifier: BSD-3-Clause
#include "cli/confinement.hpp"

#include <utility>

#include "cli/errors.hpp"
#include "machine/write_places.hpp"

namespace wirespool::cli {

void confine(const std::string& command, machine::FilesLeft files) {
  static bool done = false;
  if (std::exchange(done, true) || !machine::has_sandbox()) return;
  if (const auto confined = machine::confine(files); !confined)
    tell(error_line(command, confined.error().message(), "files are read without a sandbox"));
}

void write_only_in(const std::string& command, std::span<const std::string> paths) {
  if (!machine::has_write_places()) return;
  if (const auto done = machine::write_only_in(paths); !done)
    tell(error_line(command, done.error().message(), "files are read without that limit"));
}

}  // namespace wirespool::cli

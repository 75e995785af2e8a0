// SPDX-License-Identifier: BSD-3-Clause
#include "cli/output.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace wirespool::cli {

int print(const std::string& text, int exit_code) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written) return exit_code;
  tell(error_line("standard output", std::strerror(errno),
                  "the result did not get out: make room, or let somebody read"));
  return exit_code == Exit::done ? Exit::machine_not_ready : exit_code;
}

void tell(const std::string& text) { (void)std::fputs(text.c_str(), stderr); }

}  // namespace wirespool::cli

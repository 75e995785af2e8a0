// SPDX-License-Identifier: BSD-3-Clause
#include "cli/reading.hpp"

#include <cstdio>

#include "cli/errors.hpp"

namespace wirespool::cli {

int print_problem(const tools::ToolProblem& problem) {
  const auto& error = problem.error;
  std::fputs(error_line(error.what, error.why, error.what_to_do).c_str(), stderr);
  return problem.kind == tools::ToolProblem::Kind::wrong_use ? Exit::wrong_use : Exit::machine_not_ready;
}

void print_notices(const std::vector<std::string>& notices) {
  for (const auto& notice : notices) std::fputs(error_line(notice, "", "").c_str(), stderr);
}

void print(const std::string& text) {
  (void)std::fwrite(text.data(), 1, text.size(), stdout);
  (void)std::fflush(stdout);
}

}  // namespace wirespool::cli

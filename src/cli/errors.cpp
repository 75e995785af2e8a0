// SPDX-License-Identifier: BSD-3-Clause
#include "cli/errors.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <numeric>

#include "format/printable.hpp"

namespace wirespool::cli {

namespace {

// Levenshtein's distance, one row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string error_line(std::string_view what, std::string_view why, std::string_view what_to_do) {
  std::string line = "wirespool: " + format::printable(what);
  if (!why.empty()) line += ": " + format::printable(why);
  if (!what_to_do.empty()) line += ": " + format::printable(what_to_do);
  return line + "\n";
}

std::string error_line(const Error& error) { return error_line(error.what, error.why, error.what_to_do); }

int print_errors(const std::vector<Error>& errors) {
  for (const auto& error : errors) tell(error_line(error));
  return options::exit_of(errors);
}

int print_error(const Error& error) { return print_errors({error}); }

std::string closest(std::string_view given, const std::vector<std::string>& names) {
  if (given.size() < 4) return "";  // "-l" is one letter away from every other short option
  std::string best;
  std::size_t least = std::max<std::size_t>(1, given.size() / 3) + 1;
  for (const auto& name : names) {
    const auto errors = distance(given, name);
    if (errors >= least) continue;
    least = errors;
    best = name;
  }
  return best;
}

int print(const std::string& text, int exit_code) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (written) return exit_code;
  tell(error_line("standard output", std::strerror(errno),
                  "the result did not get out: make room, or let somebody read"));
  return exit_code == Exit::done ? Exit::machine_not_ready : exit_code;
}

void tell(const std::string& text) { (void)std::fputs(text.c_str(), stderr); }

void print_notices(const std::vector<std::string>& notices) {
  for (const auto& notice : notices) tell(error_line(notice));
}

}  // namespace wirespool::cli

// SPDX-License-Identifier: BSD-3-Clause
// Configuration files.
#include <algorithm>

#include "cli/toml.hpp"
#include "fuzz/check.hpp"

using wirespool::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = wirespool::fuzz::text_of(data, size);
  const auto lines = static_cast<unsigned>(std::ranges::count(text, '\n')) + 1;
  const auto entries = wirespool::cli::parse_toml(text);
  if (!entries) {
    check(entries.error().line >= 1 && entries.error().line <= lines, "an error names a line of the file");
    check(!entries.error().why.empty(), "an error says why");
    return 0;
  }
  unsigned line = 0;
  for (const auto& entry : *entries) {
    check(entry.line >= line, "entries are in the order of their lines");
    check(entry.line <= lines, "an entry is on a line of the file");
    check(entry.is_array || entry.values.size() == 1, "what is no array has one value");
    line = entry.line;
  }
  return 0;
}

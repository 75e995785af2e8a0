// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace wirespool::cli {

// One "key = value" of a configuration file. Values as text: strings unescaped, numbers without '_' and '+'.
struct TomlEntry {
  std::string key;
  std::vector<std::string> values;  // one, or an array's
  bool is_array = false;
  bool is_boolean = false;  // the one value is `true` or `false`, unquoted
  unsigned line = 0;
};

struct TomlError {
  unsigned line = 0;
  std::string why;
};

// The part of TOML 1.0 that a list of options needs: comments, bare and quoted keys, one-line strings of both kinds,
// numbers, booleans, and arrays of these over any number of lines. Tables, dates and long strings are refused by name,
// anything else with its line number.
std::expected<std::vector<TomlEntry>, TomlError> parse_toml(std::string_view text);

}  // namespace wirespool::cli

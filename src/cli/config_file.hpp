// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "cli/parse.hpp"
#include "cli/toml.hpp"

namespace wirespool::cli {

// --config FILE: TOML whose keys are long option names. The error names the file and line of what is wrong.
std::expected<std::vector<TomlEntry>, Error> read_config_file(const std::string& path);

// An entry's place, for an error: "capture.toml:3".
std::string place_of(const std::string& path, const TomlEntry& entry);

// Which option of `page` an entry sets, and to what; an empty array counts as absent.
std::expected<Given, Error> given_by(const TomlEntry& entry, const options::Page& page, const std::string& path);

// Sets those options of `config` that the command line (`given`) left out: the command line wins.
template <typename Config>
std::optional<Error> fill_from_file(Config& config, const options::Table<Config>& table, const std::string& path,
                                    const std::vector<TomlEntry>& entries, const std::vector<Given>& given) {
  const auto page = table.page();
  for (const auto& entry : entries) {
    const auto set = given_by(entry, page, path);
    if (!set) return set.error();
    if (set->words.empty() || std::ranges::find(given, set->name, &Given::name) != given.end()) continue;
    if (auto error = fill(config, table, {*set})) {
      return Error{place_of(path, entry), entry.key + ": " + error->why, error->what_to_do};
    }
  }
  return std::nullopt;
}

}  // namespace wirespool::cli

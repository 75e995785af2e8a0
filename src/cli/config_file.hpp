// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/toml.hpp"

namespace wirespool::cli {

// --config FILE: TOML whose keys are long option names. Throws UsageError with the file and line of what is wrong.
std::vector<TomlEntry> read_config_file(const std::string& path);

// Sets those options of `app`, already parsed, that the command line left out: it wins.
void apply_config_file(CLI::App& app, const std::string& path, const std::vector<TomlEntry>& entries);

}  // namespace wirespool::cli

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

namespace wirespool::cli {

using Args = std::vector<std::string>;

// Why a command does not run: --help was asked for, or it was used wrongly.
struct Stop {
  int exit_code = 0;
  std::string out, err;
};

// Commands that start DPDK take EAL's options too, and say so where they find one among their own.
enum class Starts { nothing, dpdk };

// Reads `args` into what `app`'s options are bound to. nullopt: go on.
std::optional<Stop> parse(CLI::App& app, const Args& args, Starts starts = Starts::nothing);

// Prints a Stop; gives its exit code.
int finish(const Stop& stop);

// An app for "wirespool COMMAND", with --help and its examples below the options.
void set_up(CLI::App& app, const std::string& command, const std::string& summary, const std::string& examples);

}  // namespace wirespool::cli

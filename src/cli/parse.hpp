// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/errors.hpp"
#include "options/table.hpp"

namespace wirespool::cli {

using Args = std::vector<std::string>;

// Why a command does not run: --help was asked for, or it was used wrongly.
struct Stop {
  int exit_code = 0;
  std::string out, err;
};

// Prints a Stop; returns its exit code.
int finish(const Stop& stop);

Stop refusal(const Error& error);

// The words that one option was given; none for a flag.
struct Given {
  std::string name;
  options::Words words;
};

// Takes `args` apart into the options of `page`; an unknown option, or one given wrongly, is a Stop.
std::variant<std::vector<Given>, Stop> parse(const options::Page& page, const Args& args);

// Puts what was given into `config`. The first word that an option does not understand is an error.
template <typename Config>
std::optional<Error> fill(Config& config, const options::Table<Config>& table, const std::vector<Given>& given) {
  for (const auto& [name, words] : given) {
    const auto row = std::ranges::find(table.rows(), name, &options::Row<Config>::name);
    if (const auto read = row->read(config, words); !read) return Error{name, read.error(), ""};
  }
  return std::nullopt;
}

// The command's configuration from its arguments, with each option checked by itself.
template <typename Config>
std::variant<Config, Stop> read_args(const options::Table<Config>& table, const Args& args) {
  const auto parsed = parse(table.page(), args);
  if (const auto* stop = std::get_if<Stop>(&parsed)) return *stop;
  Config config;
  if (const auto error = fill(config, table, std::get<std::vector<Given>>(parsed))) return refusal(*error);
  Stop stop{Exit::wrong_use, "", ""};
  for (const auto& error : table.problems(config)) stop.err += refusal(error).err;
  if (!stop.err.empty()) return stop;
  return config;
}

// Reads the arguments and runs the command with them, or says why not.
template <typename Config, typename Run>
int with_args(const options::Table<Config>& table, const Args& args, Run run) {
  const auto read = read_args(table, args);
  if (const auto* stop = std::get_if<Stop>(&read)) return finish(*stop);
  return run(std::get<Config>(read));
}

}  // namespace wirespool::cli

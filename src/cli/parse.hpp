// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <expected>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/errors.hpp"
#include "options/table.hpp"
#include "wirespool/time_text.hpp"

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

// A moment, relative to `now` or not. The error is the text after the option's name.
std::expected<Timestamp, std::string> read_moment(const std::string& text, Timestamp now);

// The rows of --from and --to.
template <typename Config, typename Moment, typename Owner>
void add_from_and_to(options::Table<Config>& table, Moment Owner::*from, Moment Owner::*to) {
  const auto moment = [now = time_now()](const std::string& text) { return read_moment(text, now); };
  table.parsed("--from", "T", from, moment, "first time: RFC 3339, seconds since the epoch, or -10m")
      .without("the first packet");
  table.parsed("--to", "T", to, moment, "time before which to end, written alike").without("the last packet");
}

// Reads the arguments and runs the command with them, or says why not.
template <typename Config, typename Run>
int with_args(const options::Table<Config>& table, const Args& args, Run run) {
  const auto read = read_args(table, args);
  if (const auto* stop = std::get_if<Stop>(&read)) return finish(*stop);
  return run(std::get<Config>(read));
}

}  // namespace wirespool::cli

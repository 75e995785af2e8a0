// SPDX-License-Identifier: BSD-3-Clause
// Command lines: the first line of the input names the command, each other line is a word.
#include <algorithm>
#include <sstream>

#include "cli/capture_options.hpp"
#include "cli/commands.hpp"
#include "cli/parse.hpp"
#include "fuzz/check.hpp"

using wirespool::fuzz::check;
namespace cli = wirespool::cli;

namespace {

void check_stop(const cli::Stop& stop) {
  if (stop.exit_code == 0) {
    check(!stop.out.empty() && stop.err.empty(), "help is printed, and nothing else");
    return;
  }
  check(stop.exit_code == 1, "what is wrong with words is wrong use");
  check(stop.err.starts_with("wirespool: ") && stop.err.ends_with('\n'), "a refusal is lines of their own");
  check(stop.out.empty(), "a refusal prints nothing else");
}

void read_as_capture(const cli::Args& args) {
  // A configuration file is read by its name: that is another target's.
  if (std::ranges::any_of(args, [](const auto& word) { return word.starts_with("--conf"); })) return;
  const auto read = cli::read_capture_args(args);
  if (const auto* stop = std::get_if<cli::Stop>(&read)) return check_stop(*stop);
  for (const auto& error : wirespool::plan::validate(std::get<cli::CaptureRequest>(read).config)) {
    check(!error.what.empty() && !error.why.empty(), "a problem says what and why");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream words{std::string(wirespool::fuzz::text_of(data, size))};
  std::string name;
  std::getline(words, name);
  cli::Args args;
  for (std::string word; std::getline(words, word);) args.push_back(word.substr(0, word.find('\0')));
  const auto& all = cli::commands();
  const auto command = std::ranges::find(all, name, &cli::Command::name);
  if (name == "capture") read_as_capture(args);
  if (command == all.end()) return 0;
  for (const auto& page : command->pages()) {
    const auto read = cli::parse(page, args);
    if (const auto* stop = std::get_if<cli::Stop>(&read)) check_stop(*stop);
  }
  return 0;
}

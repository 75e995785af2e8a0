// SPDX-License-Identifier: BSD-3-Clause
#include "cli/parse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/errors.hpp"
#include "cli/output.hpp"

namespace wirespool::cli {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    for (const auto& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

// EAL's, which people write without the "--" that ends them.
bool belongs_to_eal(std::string_view arg) {
  constexpr auto names = std::to_array<std::string_view>({"-l",
                                                          "-a",
                                                          "-b",
                                                          "-c",
                                                          "-m",
                                                          "-n",
                                                          "-d",
                                                          "--lcores",
                                                          "--vdev",
                                                          "--allow",
                                                          "--block",
                                                          "--no-pci",
                                                          "--no-huge",
                                                          "--in-memory",
                                                          "--huge-unlink",
                                                          "--huge-dir",
                                                          "--file-prefix",
                                                          "--log-level",
                                                          "--main-lcore",
                                                          "--socket-mem",
                                                          "--iova-mode",
                                                          "--proc-type",
                                                          "--single-file-segments",
                                                          "--legacy-mem"});
  return std::ranges::find(names, arg.substr(0, arg.find('='))) != names.end();
}

std::string advice(const CLI::App& app, std::string_view unknown, Starts starts) {
  const auto name = unknown.substr(0, unknown.find('='));
  if (starts == Starts::dpdk && belongs_to_eal(name)) {
    return fmt::format("EAL's options come first, then --, as in {} -l 0-2 -- ...", app.get_name());
  }
  if (const auto match = closest(name, option_names(app)); !match.empty())
    return fmt::format("did you mean {}?", match);
  return fmt::format("see {} --help", app.get_name());
}

Stop usage(std::string_view what, std::string_view why, std::string_view what_to_do) {
  return {Exit::wrong_use, "", error_line(what, why, what_to_do)};
}

Stop unknown_argument(const CLI::App& app, Starts starts) {
  const auto rest = app.remaining();
  const std::string first = rest.empty() ? "" : rest.front();
  return usage(first, first.starts_with('-') ? "unknown option" : "unexpected argument", advice(app, first, starts));
}

// CLI11's own words: "--burst: 1 required N missing", "--burst: At Most 1 required but received 2".
Stop wrong_count(const CLI::App& app, const CLI::ArgumentMismatch& error) {
  const std::string words = error.what();
  const bool too_many = words.find("At Most") != std::string::npos;
  return usage(words.substr(0, words.find(':')), too_many ? "given more than once" : "needs a value",
               fmt::format("see {} --help", app.get_name()));
}

Stop other_error(const CLI::App& app, const CLI::ParseError& error) {
  return usage(error.what(), "", fmt::format("see {} --help", app.get_name()));
}

bool is_without_value(const std::string& arg) { return arg.starts_with("--") && arg.find('=') == arg.size() - 1; }

}  // namespace

std::optional<Stop> parse(CLI::App& app, const Args& args, Starts starts) {
  // CLI11 would take the next argument for the value of "--output=".
  const auto empty = std::ranges::find_if(args, is_without_value);
  if (empty != args.end()) return usage(empty->substr(0, empty->size() - 1), "needs a value", "");
  try {
    std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI::App::parse wants them
    app.parse(reversed);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    return Stop{Exit::done, app.help(), ""};
  } catch (const UsageError& error) {
    return usage(error.what, error.why, error.what_to_do);
  } catch (const CLI::ExtrasError&) {
    return unknown_argument(app, starts);
  } catch (const CLI::ArgumentMismatch& error) {
    return wrong_count(app, error);
  } catch (const CLI::ParseError& error) {
    return other_error(app, error);
  }
}

int finish(const Stop& stop) {
  tell(stop.err);
  return stop.out.empty() ? stop.exit_code : print(stop.out, stop.exit_code);
}

void set_up(CLI::App& app, const std::string& command, const std::string& summary, const std::string& examples) {
  app.name("wirespool " + command);
  app.description(summary);
  app.set_help_flag("-h,--help", "this text");
  app.get_formatter()->column_width(34);
  app.footer("\nExamples:\n" + examples);
}

}  // namespace wirespool::cli

// SPDX-License-Identifier: BSD-3-Clause
#include "cli/parse.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "cli/errors.hpp"

namespace wirespool::cli {
namespace {

std::vector<std::string> option_names(const options::Page& page) {
  std::vector<std::string> names{"--help", "-h"};
  for (const auto& option : page.options) {
    if (!option.is_operand()) names.push_back(option.name);
  }
  return names;
}

// An option of EAL's, which people give without the "--" that has to end them.
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

std::string see_help(const options::Page& page) { return fmt::format("see wirespool {} --help", page.command); }

std::string advice(const options::Page& page, std::string_view unknown) {
  const auto name = unknown.substr(0, unknown.find('='));
  if (page.takes_eal && belongs_to_eal(name)) {
    return fmt::format("EAL's options come first, then --, as in wirespool {} -l 0-2 -- ...", page.command);
  }
  if (const auto match = closest(name, option_names(page)); !match.empty())
    return fmt::format("did you mean {}?", match);
  return see_help(page);
}

Stop unknown_argument(const options::Page& page, const std::vector<std::string>& rest) {
  const std::string first = rest.empty() ? "" : rest.front();
  return refusal({first, first.starts_with('-') ? "unknown option" : "unexpected argument", advice(page, first)});
}

// CLI11 only takes the arguments apart; the table decides what they mean.
class Splitter {
 public:
  explicit Splitter(const options::Page& page) : page_(page) {
    app_.set_help_flag("-h,--help");
    for (const auto& option : page.options) options_.push_back(add(option));
  }

  void split(const Args& args) {
    std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI::App::parse wants them
    app_.parse(reversed);
  }

  std::vector<std::string> rest() const { return app_.remaining(); }

  std::vector<Given> given() const {
    std::vector<Given> result;
    for (std::size_t i = 0; i < options_.size(); ++i) {
      if (options_[i]->count() > 0) result.push_back({page_.options[i].name, options_[i]->results()});
    }
    return result;
  }

 private:
  CLI::Option* add(const options::Option& option) {
    if (option.is_flag()) return app_.add_flag(option.name);
    const auto take = [](const std::vector<std::string>&) {};
    auto* added = app_.add_option_function<std::vector<std::string>>(option.name, take);
    if (!option.is_operand()) return added->allow_extra_args(false);
    return option.repeats() ? added : added->expected(1)->allow_extra_args(false);  // the next word is another's
  }

  const options::Page& page_;
  CLI::App app_;
  std::vector<CLI::Option*> options_;
};

std::optional<Error> wrong_count(const options::Page& page, const std::vector<Given>& given) {
  for (const auto& option : page.options) {
    const auto found = std::ranges::find(given, option.name, &Given::name);
    if (found == given.end() && option.required) return Error{option.name, "is required", see_help(page)};
    if (found == given.end() || option.repeats() || option.is_flag() || found->words.size() < 2) continue;
    return Error{option.name, "given more than once", see_help(page)};
  }
  return std::nullopt;
}

bool is_without_value(const std::string& arg) { return arg.starts_with("--") && arg.find('=') == arg.size() - 1; }

// Takes the option's name from CLI11's words: "--burst: 1 required TEXT missing".
Stop needs_value(const options::Page& page, const CLI::ArgumentMismatch& error) {
  const std::string words = error.what();
  return refusal({words.substr(0, words.find(':')), "needs a value", see_help(page)});
}

}  // namespace

Stop refusal(const Error& error) { return {Exit::wrong_use, "", error_line(error)}; }

std::variant<std::vector<Given>, Stop> parse(const options::Page& page, const Args& args) {
  // CLI11 would take the next argument for the value of "--output=".
  const auto empty = std::ranges::find_if(args, is_without_value);
  if (empty != args.end()) return refusal({empty->substr(0, empty->size() - 1), "needs a value", ""});
  Splitter splitter(page);
  try {
    splitter.split(args);
  } catch (const CLI::CallForHelp&) {
    return Stop{Exit::done, options::help_text(page), ""};
  } catch (const CLI::ExtrasError&) {
    return unknown_argument(page, splitter.rest());
  } catch (const CLI::ArgumentMismatch& error) {
    return needs_value(page, error);
  } catch (const CLI::ParseError& error) {
    return refusal({error.what(), "", see_help(page)});
  }
  auto given = splitter.given();
  if (const auto error = wrong_count(page, given)) return refusal(*error);
  return given;
}

std::expected<Timestamp, std::string> read_moment(const std::string& text, Timestamp now) {
  const auto time = parse_time(text, now);
  if (!time) return std::unexpected(time.error().what_to_do);
  return *time;
}

int finish(const Stop& stop) {
  tell(stop.err);
  return stop.out.empty() ? stop.exit_code : print(stop.out, stop.exit_code);
}

}  // namespace wirespool::cli

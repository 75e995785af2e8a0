// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "options/documents.hpp"

namespace wirespool::options {
namespace {

// Within fish's single quotes.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

// Completes files only where files are offered: -f turns off what fish does by itself, -F turns it on again.
std::string values_of(const Option& option) {
  if (option.offers == Offers::files) return " -F";
  if (option.offers == Offers::directories) return " -f -a '(__fish_complete_directories)'";
  if (option.words.empty()) return " -f";
  return fmt::format(" -f -a {}", quoted(fmt::format("{}", fmt::join(option.words, " "))));
}

std::string line_of(const Option& option, const std::string& where) {
  const auto start = fmt::format("complete -c wirespool -n '{}'", where);
  if (option.is_operand()) return fmt::format("{}{}\n", start, values_of(option));
  const auto name = option.name.starts_with("--") ? "-l " + option.name.substr(2) : "-s " + option.name.substr(1);
  const auto value = option.is_flag() ? "" : " -r" + values_of(option);
  return fmt::format("{} {}{} -d {}\n", start, name, value, quoted(option.help));
}

// For fish, "--" ends all options; where EAL's options stand in front of it, ours follow it.
std::string line_behind_dashes(const Page& page, const std::string& where) {
  std::string names;
  for (const auto& option : page.options) {
    if (!option.is_operand()) names += (names.empty() ? "" : " ") + option.name;
  }
  return fmt::format("complete -c wirespool -n '{}; and contains -- -- (commandline -opc)' -f -a {}\n", where,
                     quoted(names));
}

std::string lines_of(const Page& page) {
  const auto space = page.command.find(' ');
  auto where = "__fish_seen_subcommand_from " + page.command.substr(0, space);
  if (space != std::string::npos) where += "; and __fish_seen_subcommand_from " + page.command.substr(space + 1);
  std::string text;
  for (const auto& option : page.options) text += line_of(option, where);
  if (page.takes_eal) text += line_behind_dashes(page, where);
  return text;
}

}  // namespace

std::string fish_completion(const std::vector<Chapter>& chapters) {
  std::string text =
      "# fish completion of wirespool: what `wirespool completion fish` prints\n"
      "complete -c wirespool -f\n"
      "complete -c wirespool -l help -s h -d 'what there is to say'\n";
  for (const auto& chapter : chapters) {
    text += fmt::format("complete -c wirespool -n __fish_use_subcommand -a {} -d {}\n", chapter.name,
                        quoted(chapter.title));
    const bool verbs = chapter.pages.size() > 1;
    for (const auto& page : chapter.pages) {
      const auto verb = page.command.substr(page.command.find(' ') + 1);
      if (verbs) {
        text += fmt::format("complete -c wirespool -n '__fish_seen_subcommand_from {}' -a {} -d {}\n", chapter.name,
                            verb, quoted(page.summary));
      }
      text += lines_of(page);
    }
  }
  return text;
}

}  // namespace wirespool::options

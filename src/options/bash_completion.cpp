// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "options/documents.hpp"

namespace wirespool::options {
namespace {

// Bash splits words at '=' and ':' too (COMP_WORDBREAKS): "--io=ur" arrives as three words.
constexpr std::string_view beginning =
    "# bash completion of wirespool: what `wirespool completion bash` prints\n"
    "_wirespool_offer() {\n"
    "  case $1 in\n"
    "    @files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$2\") ;;\n"
    "    @directories) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$2\") ;;\n"
    "    *) mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$2\") ;;\n"
    "  esac\n"
    "}\n\n"
    "_wirespool() {\n"
    "  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}\n"
    "  COMPREPLY=()\n"
    "  if [[ $current == = ]]; then\n"
    "    current=\n"
    "  elif [[ $before == = ]]; then\n"
    "    before=${COMP_WORDS[COMP_CWORD-2]}\n"
    "  fi\n";

constexpr std::string_view ending =
    "  esac\n"
    "}\n"
    "complete -F _wirespool wirespool\n";

// What to offer as the value of an option or operand; empty: nothing.
std::string offers_of(const Option& option) {
  if (option.offers == Offers::files) return "@files";
  if (option.offers == Offers::directories) return "@directories";
  return fmt::format("{}", fmt::join(option.words, " "));
}

// The word patterns that lead to this page: "capture", or "vf create".
std::string case_of(const Page& page) {
  std::string values, names = "--help", operand;
  for (const auto& option : page.options) {
    const auto offers = offers_of(option);
    if (option.is_operand()) {
      if (operand.empty()) operand = offers;
      continue;
    }
    names += " " + option.name;
    if (!option.is_flag())
      values += fmt::format("        {}) _wirespool_offer '{}' \"$current\" ;;\n", option.name, offers);
  }
  return fmt::format(
      "    '{}')\n"
      "      case $before in\n"
      "{}"
      "        *) if [[ $current == -* ]]; then _wirespool_offer '{}' \"$current\"; "
      "else _wirespool_offer '{}' \"$current\"; fi ;;\n"
      "      esac ;;\n",
      page.command, values, names, operand);
}

std::string verbs_of(const Chapter& chapter) {
  std::string verbs;
  for (const auto& page : chapter.pages) {
    const auto verb = page.command.substr(page.command.find(' ') + 1);
    verbs += (verbs.empty() ? "" : " ") + verb;
  }
  return verbs;
}

}  // namespace

std::string bash_completion(const std::vector<Chapter>& chapters) {
  std::string names = "--help --version", cases, verbs;
  for (const auto& chapter : chapters) {
    names += fmt::format(" {}", chapter.name);
    for (const auto& page : chapter.pages) cases += case_of(page);
    if (chapter.pages.size() < 2) continue;
    verbs += fmt::format(
        "  if [[ $command == {} ]]; then\n"
        "    if ((COMP_CWORD == 2)); then _wirespool_offer '{} --help' \"$current\"; return; fi\n"
        "    command+=\" ${{COMP_WORDS[2]}}\"\n"
        "  fi\n",
        chapter.name, verbs_of(chapter));
  }
  return fmt::format(
      "{}  if ((COMP_CWORD == 1)); then _wirespool_offer '{}' \"$current\"; return; fi\n{}  case $command in\n{}{}",
      beginning, names, verbs, cases, ending);
}

}  // namespace wirespool::options

// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "options/documents.hpp"

namespace wirespool::options {
namespace {

// For use within single quotes, where _arguments(1) ends a part at a colon or bracket.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
      continue;
    }
    if (c == ':' || c == '[' || c == ']' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

std::string action_of(const Option& option) {
  if (option.offers == Offers::files) return "_files";
  if (option.offers == Offers::directories) return "_files -/";
  return option.words.empty() ? " " : fmt::format("({})", fmt::join(option.words, " "));
}

// One argument of _arguments(1).
std::string spec_of(const Option& option) {
  const auto value = fmt::format("{}:{}", escaped(option.takes), action_of(option));
  if (option.is_operand()) return fmt::format("'{}:{}'", option.repeats() ? "*" : "", value);
  const auto help = escaped(option.help);
  if (option.is_flag()) return fmt::format("'{}[{}]'", option.name, help);
  const auto glued = option.name.starts_with("--") ? "=" : "";
  return fmt::format("'{}{}{}[{}]:{}'", option.repeats() ? "*" : "", option.name, glued, help, value);
}

std::string case_of(const Page& page, std::string_view word) {
  auto text = fmt::format("    {})\n      _arguments '(- *)'{{-h,--help}}'[help]'", word);
  for (const auto& option : page.options) text += " \\\n        " + spec_of(option);
  if (page.takes_eal) text += " \\\n        '*: : '";  // EAL's, which are not known here
  return text + " ;;\n";
}

std::string function_of(const std::string& name, const std::string& list, const std::string& cases) {
  return fmt::format(
      "{}() {{\n"
      "  if ((CURRENT == 2)); then\n"
      "    local -a known=({}\n    )\n"
      "    _describe command known\n"
      "    return\n"
      "  fi\n"
      "  shift words\n"
      "  ((CURRENT--))\n"
      "  case $words[1] in\n"
      "{}"
      "  esac\n"
      "}}\n\n",
      name, list, cases);
}

std::string item(std::string_view name, std::string_view title) {
  return fmt::format("\n      '{}:{}'", name, escaped(title));
}

std::string verbs_function(const Chapter& chapter) {
  std::string list, cases;
  for (const auto& page : chapter.pages) {
    const auto verb = page.command.substr(page.command.find(' ') + 1);
    list += item(verb, page.summary);
    cases += case_of(page, verb);
  }
  return function_of(fmt::format("_wirespool_{}", chapter.name), list, cases);
}

}  // namespace

std::string zsh_completion(const std::vector<Chapter>& chapters) {
  std::string functions, list, cases;
  for (const auto& chapter : chapters) {
    list += item(chapter.name, chapter.title);
    if (chapter.pages.size() > 1) {
      functions += verbs_function(chapter);
      cases += fmt::format("    {0})\n      _wirespool_{0} ;;\n", chapter.name);
    } else {
      cases += case_of(chapter.pages.front(), chapter.name);
    }
  }
  return "#compdef wirespool\n# zsh completion of wirespool: what `wirespool completion zsh` prints\n\n" + functions +
         function_of("_wirespool", list, cases) +
         "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _wirespool \"$@\"; else compdef _wirespool wirespool; "
         "fi\n";
}

}  // namespace wirespool::options

// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "options/documents.hpp"

namespace wirespool::options {
namespace {

// As roff shows it: groff_char(7) has the escapes; a dot or quote at the start of a line would be a request.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else if (c == '\'') {
      result += "\\(aq";
    } else if (c == '^') {
      result += "\\(ha";
    } else if (c == '~') {
      result += "\\(ti";
    } else {
      result += c;
    }
  }
  return result.starts_with('.') ? "\\&" + result : result;
}

std::string bold(std::string_view text) { return fmt::format("\\fB{}\\fR", escaped(text)); }
std::string italic(std::string_view text) { return fmt::format("\\fI{}\\fR", escaped(text)); }

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

std::string header(const std::string& name, std::string_view title, const Edition& edition) {
  return fmt::format(".TH {} 1 \"\" \"wirespool {}\" \"wirespool\"\n.nh\n.SH NAME\n{} \\- {}\n", escaped(upper(name)),
                     edition.version, escaped(name), escaped(title));
}

// Each word in its font: bold if typed literally, italic if replaced.
std::string form(const Option& option) {
  if (option.is_operand()) return italic(option.name) + (option.repeats() ? "..." : "");
  if (option.is_flag()) return bold(option.name);
  return bold(option.name) + " " + (option.words.empty() ? italic(option.takes) : bold(option.takes));
}

std::string synopsis(const Page& page) {
  auto text = bold("wirespool " + page.command);
  if (page.takes_eal) text += " [" + italic("EAL OPTIONS") + " " + bold("--") + "]";
  const auto named = [](const Option& option) { return !option.is_operand() && !option.required; };
  if (std::ranges::any_of(page.options, named)) text += " [" + italic("OPTIONS") + "]";
  for (const auto& option : page.options) {
    if (named(option)) continue;
    text += option.required ? " " + form(option) : " [" + form(option) + "]";
  }
  return text + "\n";
}

std::string entry(const Option& option) {
  auto text = fmt::format(".TP\n{}\n{}", form(option), escaped(option.help));
  if (const auto range = range_text(option); !range.empty()) text += ", " + escaped(range);
  text += ".";
  if (option.required) text += " It must be given.";
  if (!option.required && !option.otherwise.empty()) text += fmt::format(" Without it: {}.", escaped(option.otherwise));
  return text + "\n";
}

std::string options_of(const Page& page) {
  std::string text;
  for (const auto& group : groups_of(page)) {
    if (!group.empty()) text += fmt::format(".SS {}\n", escaped(group));
    for (const auto& option : page.options) {
      if (option.group == group) text += entry(option);
    }
  }
  text += ".TP\n" + bold("-h") + ", " + bold("--help") + "\nA shorter form of this text.\n";
  for (const auto& line : units_of(page)) text += ".PP\n" + escaped(line) + "\n";
  return text;
}

std::string signals_of(const std::vector<Page>& pages) {
  std::string text;
  for (const auto& page : pages) {
    for (const auto& signal : page.signals)
      text += fmt::format(".TP\n{}\n{}.\n", bold(signal.command), escaped(signal.says));
  }
  return text.empty() ? text : ".SH SIGNALS\n" + text;
}

std::string examples_of(const std::vector<Page>& pages) {
  std::string text = ".SH EXAMPLES\n";
  for (const auto& page : pages) {
    for (const auto& example : page.examples) {
      text += fmt::format(".TP\n{}\n{}\n", bold(example.command), example.says.empty() ? "\\&" : escaped(example.says));
    }
    if (!page.closing.empty()) text += ".PP\n" + escaped(page.closing) + "\n";
  }
  return text;
}

std::string footer(const Edition& edition, const std::string& see_also) {
  return fmt::format(".SH EXIT STATUS\n{}\n.SH SEE ALSO\n{}\n", escaped(edition.exit_codes), see_also);
}

}  // namespace

std::string man_page(const Chapter& chapter, const Edition& edition) {
  auto text = header(fmt::format("wirespool-{}", chapter.name), chapter.title, edition) + ".SH SYNOPSIS\n";
  for (const auto& page : chapter.pages) {
    if (&page != &chapter.pages.front()) text += ".PP\n";
    text += synopsis(page);
  }
  const bool verbs = chapter.pages.size() > 1;
  text += ".SH DESCRIPTION\n";
  for (const auto& page : chapter.pages) {
    if (verbs) text += fmt::format(".SS wirespool {}\n", escaped(page.command));
    text += escaped(page.summary) + "\n";
    if (!verbs) text += ".SH OPTIONS\n";
    text += options_of(page);
  }
  return text + signals_of(chapter.pages) + examples_of(chapter.pages) + footer(edition, "\\fBwirespool\\fR(1)");
}

std::string man_page_of_all(const std::vector<Chapter>& chapters, std::string_view summary, const Edition& edition) {
  auto text = header("wirespool", "captures every packet of a DPDK port to disk, and reads it back", edition);
  text +=
      ".SH SYNOPSIS\n\\fBwirespool\\fR \\fICOMMAND\\fR ...\n.SH DESCRIPTION\n" + escaped(summary) + "\n.SH COMMANDS\n";
  std::string see_also;
  for (const auto& chapter : chapters) {
    text += fmt::format(".TP\n\\fBwirespool\\-{}\\fR(1)\n{}.\n", escaped(chapter.name), escaped(chapter.title));
    see_also += fmt::format("{}\\fBwirespool\\-{}\\fR(1)", see_also.empty() ? "" : ",\n", escaped(chapter.name));
  }
  return text + footer(edition, see_also);
}

}  // namespace wirespool::options

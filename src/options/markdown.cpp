// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "options/documents.hpp"

namespace wirespool::options {
namespace {

// Escapes what would end a table's cell or be taken for a tag.
std::string cell(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    if (c == '<') {
      result += "&lt;";
      continue;
    }
    result += c;
  }
  return result;
}

std::string row(const Option& option) {
  auto help = option.help;
  if (const auto range = range_text(option); !range.empty()) help += ", " + range;
  const auto holds = option.required ? "must be given" : option.otherwise;
  return fmt::format("| `{}` | {} | {} |\n", cell(form_of(option)), cell(help), cell(holds));
}

std::string table_of(const Page& page, const std::string& group) {
  std::string text = group.empty() ? "\n" : fmt::format("\n{}:\n\n", group);
  text += "| option | what it is | without it |\n|---|---|---|\n";
  for (const auto& option : page.options) {
    if (option.group == group) text += row(option);
  }
  return text;
}

}  // namespace

std::string markdown(const Page& page) {
  auto text = fmt::format("### wirespool {}\n\n`{}`\n\n{}\n", page.command, usage_of(page), page.summary);
  if (page.options.empty()) return text;
  for (const auto& group : groups_of(page)) text += table_of(page, group);
  return text;
}

}  // namespace wirespool::options

// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "options/page.hpp"

namespace wirespool::options {
namespace {

constexpr std::size_t widest_form = 34, line_length = 100;

// Of the forms that fit the column; a longer one has a line of its own.
std::size_t width_of_forms(const Page& page) {
  std::size_t width = 0;
  for (const auto& option : page.options) {
    const auto size = form_of(option).size();
    if (size <= widest_form) width = std::max(width, size);
  }
  return std::max(width, std::string("-h, --help").size());
}

std::string entry(const std::string& form, const std::string& help, std::size_t width) {
  const std::size_t column = width + 4;  // two blanks on each side
  const auto text = wrapped(help, line_length - column, column);
  if (form.size() <= width) return fmt::format("  {:<{}}  {}\n", form, width, text);
  return fmt::format("  {}\n{:{}}{}\n", form, "", column, text);
}

std::string heading_of(const Page& page, const std::string& group) {
  if (!group.empty()) return group;
  const bool only_operands = std::ranges::all_of(page.options, &Option::is_operand);
  return only_operands ? "Operands" : "Options";
}

std::string options_text(const Page& page) {
  const auto width = width_of_forms(page);
  std::string text;
  for (const auto& group : groups_of(page)) {
    text += fmt::format("\n{}:\n", heading_of(page, group));
    for (const auto& option : page.options) {
      if (option.group == group) text += entry(form_of(option), help_of(option), width);
    }
  }
  return text + entry("-h, --help", "this text", width);
}

std::string signals_text(const Page& page) {
  std::string text = page.signals.empty() ? "" : "\nSignals:\n";
  const auto width = width_of_forms(page);
  for (const auto& signal : page.signals) text += entry(signal.command, signal.says, width);
  return text;
}

std::string examples_text(const Page& page) {
  if (page.examples.empty()) return "";
  std::string text = "\nExamples:\n";
  for (const auto& example : page.examples) {
    text += fmt::format("  {}\n", example.command);
    if (!example.says.empty()) text += fmt::format("      {}\n", example.says);
  }
  return text;
}

}  // namespace

std::string help_text(const Page& page) {
  std::string text = wrapped(page.summary, line_length, 0) + "\nUsage: " + usage_of(page) + "\n" + options_text(page);
  for (const auto& line : units_of(page)) text += "\n" + wrapped(line, line_length, 0) + "\n";
  text += signals_text(page) + examples_text(page);
  if (!page.closing.empty()) text += wrapped(page.closing, line_length, 0) + "\n";
  return text;
}

}  // namespace wirespool::options

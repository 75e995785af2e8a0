// SPDX-License-Identifier: BSD-3-Clause
#include "options/page.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wirespool::options {

std::string form_of(const Option& option) {
  if (option.is_operand()) return option.name + (option.repeats() ? "..." : "");
  return option.is_flag() ? option.name : option.name + " " + option.takes;
}

std::string help_of(const Option& option) {
  auto text = option.help;
  if (const auto range = range_text(option); !range.empty()) text += ", " + range;
  if (!option.required && !option.otherwise.empty()) text += fmt::format(" [{}]", option.otherwise);
  return text;
}

std::string usage_of(const Page& page) {
  auto text = "wirespool " + page.command;
  if (page.takes_eal) text += " [EAL OPTIONS --]";
  const auto can_be_left_out = [](const Option& option) { return !option.is_operand() && !option.required; };
  if (std::ranges::any_of(page.options, can_be_left_out)) text += " [OPTIONS]";
  for (const auto& option : page.options) {
    if (can_be_left_out(option)) continue;
    text += option.required ? fmt::format(" {}", form_of(option)) : fmt::format(" [{}]", form_of(option));
  }
  return text;
}

std::vector<std::string> groups_of(const Page& page) {
  std::vector<std::string> groups;
  for (const auto& option : page.options) {
    if (std::ranges::find(groups, option.group) == groups.end()) groups.push_back(option.group);
  }
  if (groups.empty()) groups.emplace_back();
  return groups;
}

std::vector<std::string> units_of(const Page& page) {
  const auto takes = [&](Type type) {
    return std::ranges::find(page.options, type, &Option::type) != page.options.end();
  };
  std::vector<std::string> lines;
  if (takes(Type::size)) {
    lines.emplace_back(
        "SIZE: bytes, or a number with K, M, G, T (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024).");
  }
  if (takes(Type::rate)) lines.emplace_back("RATE: a second; a number, or one with K, M, G, T (powers of 1000).");
  if (takes(Type::time)) lines.emplace_back("TIME: seconds, or a number with ns, us, ms, s, m (minutes) or h.");
  return lines;
}

std::vector<std::string> packed(const std::vector<std::string>& items, std::size_t width) {
  std::vector<std::string> lines;
  for (const auto& item : items) {
    if (lines.empty() || lines.back().size() + 1 + item.size() > width) {
      lines.push_back(item);
    } else {
      lines.back().append(" ").append(item);
    }
  }
  return lines;
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::vector<std::string> words;
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find(' ', start), text.size());
    words.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  std::string result;
  for (const auto& line : packed(words, width)) {
    if (!result.empty()) result += "\n" + std::string(indent, ' ');
    result += line;
  }
  return result;
}

}  // namespace wirespool::options

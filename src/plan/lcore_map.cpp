// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "options/values.hpp"
#include "plan/eal_args.hpp"

namespace wirespool::plan {
namespace {

constexpr unsigned most_cpus = 4096;

std::string without_blanks(std::string_view text) {
  std::string result(text);
  std::erase_if(result, [](char c) { return c == ' ' || c == '\t'; });
  return result;
}

// Parts between commas that stand outside parentheses.
std::vector<std::string> split_outside_groups(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// "3", "3-5" or "(1,3-5)".
std::optional<std::vector<unsigned>> parse_set(std::string_view text) {
  const bool group = text.starts_with('(') && text.ends_with(')');
  if (group) text = text.substr(1, text.size() - 2);
  if (!group && text.find(',') != std::string_view::npos) return std::nullopt;
  const auto list = options::parse_number_list(text);
  if (!list || std::ranges::any_of(*list, [](unsigned n) { return n >= most_cpus; })) return std::nullopt;
  return *list;
}

// One part of --lcores. Without '@' each lcore has the CPU of its number; a group in parentheses shares its CPUs.
bool add_part(std::map<unsigned, std::vector<unsigned>>& map, std::string_view part) {
  const auto at = part.find('@');
  const auto lcores = parse_set(part.substr(0, at));
  const auto cpus = at == std::string_view::npos ? lcores : parse_set(part.substr(at + 1));
  if (!lcores || !cpus) return false;
  const bool each_its_own = at == std::string_view::npos && !part.starts_with('(');
  for (const unsigned lcore : *lcores) map[lcore] = each_its_own ? std::vector{lcore} : *cpus;
  return true;
}

std::vector<LcoreCpus> to_vector(const std::map<unsigned, std::vector<unsigned>>& map) {
  std::vector<LcoreCpus> result;
  for (const auto& [lcore, cpus] : map) result.push_back({lcore, cpus});
  return result;
}

// Value of a hexadecimal digit, 16 for anything else.
unsigned hex_digit(char c) {
  unsigned value = 16;
  std::from_chars(&c, &c + 1, value, 16);
  return value;
}

}  // namespace

std::expected<std::vector<LcoreCpus>, std::string> parse_lcore_map(std::string_view text) {
  std::map<unsigned, std::vector<unsigned>> map;
  for (const auto& part : split_outside_groups(without_blanks(text))) {
    if (!add_part(map, part)) return std::unexpected(fmt::format("\"{}\" is not a list of lcores", text));
  }
  return to_vector(map);
}

std::expected<std::vector<LcoreCpus>, std::string> parse_core_mask(std::string_view text) {
  auto digits = without_blanks(text);
  if (digits.starts_with("0x") || digits.starts_with("0X")) digits.erase(0, 2);
  std::vector<LcoreCpus> result;
  bool good = !digits.empty() && digits.size() <= most_cpus / 4;
  for (unsigned place = 0; good && place < digits.size(); ++place) {
    const unsigned digit = hex_digit(digits[digits.size() - 1 - place]);
    good = digit < 16;
    for (unsigned bit = 0; bit < 4; ++bit) {
      const unsigned cpu = place * 4 + bit;
      if (good && (digit >> bit & 1) != 0) result.push_back({cpu, {cpu}});
    }
  }
  if (!good || result.empty()) return std::unexpected(fmt::format("\"{}\" is not a mask of lcores", text));
  return result;
}

}  // namespace wirespool::plan

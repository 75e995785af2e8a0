// SPDX-License-Identifier: BSD-3-Clause
#include "options/option.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "options/values.hpp"

namespace wirespool::options {
namespace {

// Elsewhere, sizes that no unit divides are shown rounded; here they must read back unchanged.
std::string exact_size(std::uint64_t bytes) {
  auto text = format_size(bytes);
  return parse_size(text) == bytes ? text : fmt::format("{}", bytes);
}

std::string too_far(const Option& option, bool too_small) {
  if (option.type != Type::time) return "out of range";
  return too_small ? "too short" : "too long";
}

// Quoted so that a shell reads it back.
std::string quoted(const std::string& text) {
  constexpr std::string_view harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%";
  if (!text.empty() && text.find_first_not_of(harmless) == std::string::npos) return text;
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

struct TextOf {
  const Option& option;
  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(bool on) const { return option.is_flag() ? "" : on ? "on" : "off"; }
  std::string operator()(std::uint64_t number) const { return text_of(option, number); }
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(const std::vector<std::string>& texts) const {
    return fmt::format("{}", fmt::join(texts, ","));
  }
  std::string operator()(const std::vector<unsigned>& numbers) const { return format_number_list(numbers); }
};

}  // namespace

bool Option::is_number() const {
  return type == Type::whole || type == Type::size || type == Type::rate || type == Type::time;
}

std::string Option::key() const { return name.starts_with("--") ? name.substr(2) : ""; }

std::string Option::json_key() const {
  auto result = key() + (type == Type::time ? "_ns" : "");
  std::ranges::replace(result, '-', '_');
  return result;
}

std::string text_of(const Option& option, std::uint64_t number) {
  switch (option.type) {
    case Type::size:
      return exact_size(number);
    case Type::rate:
      return format_rate(number);
    case Type::time:
      return format_time(number);
    default:
      return fmt::format("{}", number);
  }
}

std::string text_of(const Option& option, const Value& value) { return std::visit(TextOf{option}, value); }

std::vector<std::string> arguments_of(const Option& option, const Value& value) {
  if (const auto* on = std::get_if<bool>(&value); on != nullptr && option.is_flag()) {
    return *on ? std::vector{option.name} : std::vector<std::string>{};
  }
  std::vector<std::string> texts{text_of(option, value)};
  if (const auto* several = std::get_if<std::vector<std::string>>(&value); several != nullptr) texts = *several;
  std::vector<std::string> result;
  for (const auto& text : texts) {
    if (!text.empty()) result.push_back(option.name + " " + quoted(text));
  }
  return result;
}

std::string range_text(const Option& option) {
  if (!option.range) return "";
  const auto [least, most] = *option.range;
  if (most == Range{}.most) return text_of(option, least) + " or more";
  return fmt::format("{} to {}", text_of(option, least), text_of(option, most));
}

std::optional<Error> range_error(const Option& option, const Value& value) {
  const auto* number = std::get_if<std::uint64_t>(&value);
  if (number == nullptr || !option.range) return std::nullopt;
  const bool too_small = *number < option.range->least;
  if (!too_small && *number <= option.range->most) return std::nullopt;
  return Error{option.name, fmt::format("{} is {}", text_of(option, *number), too_far(option, too_small)),
               fmt::format("give {}", range_text(option))};
}

}  // namespace wirespool::options

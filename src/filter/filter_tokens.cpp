// SPDX-License-Identifier: BSD-3-Clause
#include "filter/filter_reader.hpp"

#include <algorithm>
#include <array>

namespace wirespool::filter {
namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
constexpr std::string_view inside_words = ".:/-\\";
constexpr std::string_view space = " \t\r\n";
// Longer ones first, so that "<=" is not taken for "<".
constexpr std::array<std::string_view, 22> signs{"&&", "||", "!=", "==", "<=", ">=", "<<", ">>", "!", "=", "<",
                                                 ">",  "(",  ")",  "[",  "]",  "+",  "*",  "&",  "|", "^", "%"};
constexpr std::array<std::string_view, 2> word_operators{"-", "/"};

bool is_letter(char c) { return letters.find(c) != std::string_view::npos; }

// A word begins with a letter or digit, a backslash in front of one, or the "::" of an IPv6 address.
std::size_t word_length(std::string_view text) {
  const bool begins =
      is_letter(text[0]) || (text.size() > 1 && text[0] == '\\' && is_letter(text[1])) || text.starts_with("::");
  if (!begins) return 0;
  std::size_t length = 1;
  while (length < text.size() && (is_letter(text[length]) || inside_words.find(text[length]) != std::string_view::npos))
    ++length;
  return length;
}

std::string_view sign_at(std::string_view text) {
  const auto found = std::ranges::find_if(signs, [text](std::string_view sign) { return text.starts_with(sign); });
  if (found != signs.end()) return *found;
  return text[0] == '-' || text[0] == '/' ? text.substr(0, 1) : std::string_view{};
}

std::string_view spoken(std::string_view sign) {
  if (sign == "&&") return "and";
  if (sign == "||") return "or";
  if (sign == "!") return "not";
  return sign;
}

}  // namespace

std::vector<std::string_view> filter_tokens(std::string_view text) {
  std::vector<std::string_view> tokens;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
    if (text.empty()) return tokens;
    const auto length = word_length(text);
    const auto sign = length == 0 ? sign_at(text) : std::string_view{};
    if (length == 0 && sign.empty()) return {};
    tokens.push_back(length > 0 ? text.substr(0, length) : spoken(sign));
    text.remove_prefix(length > 0 ? length : sign.size());
  }
}

bool is_filter_operator(std::string_view token) {
  const bool connective = token == "&&" || token == "||" || token == "!";
  const bool bracket = token == "(" || token == ")" || token == "[" || token == "]";
  return !connective && !bracket &&
         (std::ranges::find(signs, token) != signs.end() ||
          std::ranges::find(word_operators, token) != word_operators.end());
}

}  // namespace wirespool::filter

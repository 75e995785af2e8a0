// SPDX-License-Identifier: BSD-3-Clause
#include "options/read.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "options/values.hpp"

namespace wirespool::options {

Parsed<std::uint64_t> parse_whole(std::string_view text, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc::result_out_of_range && (error != std::errc{} || end != text.data() + text.size())) {
    return std::unexpected(fmt::format("\"{}\" is not a whole number", text));
  }
  if (error != std::errc{} || value > most) return std::unexpected(fmt::format("\"{}\" is too large", text));
  return value;
}

Parsed<bool> parse_on_off(std::string_view text) {
  static const auto known = std::to_array<std::string>({"on", "off", "true", "false"});
  const auto which = parse_word(text, known);
  if (!which) return std::unexpected(which.error());
  return *which % 2 == 0;
}

Parsed<bool> parse_flag(const Words& words) {
  static const auto known = std::to_array<std::string>({"true", "false"});
  if (words.empty()) return true;
  const auto which = parse_word(words.back(), known);
  if (!which) return std::unexpected(which.error());
  return *which == 0;
}

Words split_words(const Words& words) {
  Words parts;
  for (const auto& word : words) {
    auto more = split_commas(word);
    if (more.empty()) more.emplace_back();  // an empty word counts too
    parts.insert(parts.end(), more.begin(), more.end());
  }
  return parts;
}

Parsed<std::vector<unsigned>> parse_numbers(const Words& words) {
  return parse_number_list(fmt::format("{}", fmt::join(words, ",")));
}

Parsed<std::size_t> parse_word(std::string_view text, std::span<const std::string> known) {
  const auto found = std::ranges::find(known, text);
  if (found != known.end()) return static_cast<std::size_t>(found - known.begin());
  return std::unexpected(fmt::format("\"{}\" is not one of {}", text, fmt::join(known, ", ")));
}

}  // namespace wirespool::options

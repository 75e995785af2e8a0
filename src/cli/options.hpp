// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/errors.hpp"
#include "plan/units.hpp"

namespace wirespool::cli {

// Options that say what is wrong with their value in a line of their own. `help` ends in what is in force without the
// option, in brackets.

template <typename T>
using Parsed = std::expected<T, std::string>;

template <std::unsigned_integral T>
Parsed<T> parse_whole(const std::string& text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return std::unexpected("\"" + text + "\" is too large");
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::unexpected("\"" + text + "\" is not a whole number");
  }
  return value;
}

// `parse` makes a value of the text or says why not. Target: what it assigns to.
template <typename Parse, typename Target>
CLI::Option* add_value(CLI::App& app, const std::string& name, const std::string& kind, Target& target, Parse parse,
                       const std::string& help) {
  const auto read = [name, parse, &target](const std::string& text) {
    const auto value = parse(text);
    if (!value) throw UsageError{name, value.error(), ""};
    target = *value;
  };
  return app.add_option_function<std::string>(name, read, help)->type_name(kind);
}

template <std::unsigned_integral T>
CLI::Option* add_whole(CLI::App& app, const std::string& name, T& target, const std::string& help) {
  return add_value(app, name, "N", target, parse_whole<T>, help);
}

template <std::unsigned_integral T>
CLI::Option* add_whole(CLI::App& app, const std::string& name, std::optional<T>& target, const std::string& help) {
  return add_value(app, name, "N", target, parse_whole<T>, help);
}

// A word out of a few.
template <typename Value>
using Choices = std::vector<std::pair<std::string, Value>>;

template <typename Value>
Parsed<Value> parse_choice(const std::string& text, const Choices<Value>& choices) {
  std::string words;
  for (const auto& [word, value] : choices) {
    if (word == text) return value;
    words += (words.empty() ? "" : ", ") + word;
  }
  return std::unexpected("\"" + text + "\" is not one of " + words);
}

template <typename Value, typename Target>
CLI::Option* add_choice(CLI::App& app, const std::string& name, Target& target, const Choices<Value>& choices,
                        const std::string& help) {
  std::string words;
  for (const auto& [word, value] : choices) words += (words.empty() ? "" : "|") + word;
  return add_value(
      app, name, words, target, [choices](const std::string& text) { return parse_choice(text, choices); }, help);
}

// Several values: the option repeated (or an array in a configuration file). add_list also takes commas between them.
CLI::Option* add_repeated(CLI::App& app, const std::string& name, const std::string& kind,
                          std::vector<std::string>& target, const std::string& help);
CLI::Option* add_list(CLI::App& app, const std::string& name, const std::string& kind, std::vector<std::string>& target,
                      const std::string& help);

// Numbers and ranges, as 1,3-5.
CLI::Option* add_number_list(CLI::App& app, const std::string& name, std::vector<unsigned>& target,
                             const std::string& help);

// Sizes (4GiB) and times (250ms), as plan/units.hpp reads them. Target: std::uint64_t, optional or not.
template <typename Target>
CLI::Option* add_size(CLI::App& app, const std::string& name, Target& target, const std::string& help) {
  return add_value(
      app, name, "SIZE", target, [](const std::string& text) { return plan::parse_size(text); }, help);
}

template <typename Target>
CLI::Option* add_time(CLI::App& app, const std::string& name, Target& target, const std::string& help) {
  return add_value(
      app, name, "TIME", target, [](const std::string& text) { return plan::parse_time(text); }, help);
}

Parsed<bool> parse_on_off(const std::string& text);

}  // namespace wirespool::cli

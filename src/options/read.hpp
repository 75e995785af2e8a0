// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wirespool::options {

// Words as given -> a value, or why not, in half a sentence. Sizes and times: units.hpp, lists of numbers: lists.hpp.

template <typename T>
using Parsed = std::expected<T, std::string>;

// What one option was given: one word, or several if it was repeated or is an array in a configuration file.
using Words = std::vector<std::string>;

// Decimal, without sign; at most `most`.
Parsed<std::uint64_t> parse_whole(std::string_view text, std::uint64_t most);

Parsed<bool> parse_on_off(std::string_view text);  // also true and false, as TOML has them
Parsed<bool> parse_flag(const Words& words);       // true where it was given without a word

// Commas between several, in each word.
Words split_words(const Words& words);
Parsed<std::vector<unsigned>> parse_numbers(const Words& words);

// The index in `known`; the error names them all.
Parsed<std::size_t> parse_word(std::string_view text, std::span<const std::string> known);

// A choice: what is typed for each value.
template <typename Value>
using Choices = std::vector<std::pair<std::string, Value>>;

}  // namespace wirespool::options

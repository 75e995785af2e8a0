// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <charconv>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "policy/retention.hpp"

namespace wirespool::options {

// Sizes as people write them: bytes, or K M G T (powers of 1000) and KiB MiB GiB TiB (powers of 1024), with or without
// a fraction: 512, 4K, 1.5GiB. Case does not matter. Less than 2^63. The error says what is accepted.
std::expected<std::uint64_t, std::string> parse_size(std::string_view text);

// A second: a number, or one with K M G T (powers of 1000), with or without a fraction. Less than 2^63.
std::expected<std::uint64_t, std::string> parse_rate(std::string_view text);

// "10%" (1 to 99), or a size.
std::expected<policy::Share, std::string> parse_share(std::string_view text);
std::string format_share(const policy::Share& share);

// Nanoseconds of "250us", "1.5s", "10m", "2h"; a plain number is seconds. Units: ns us ms s m h. At most 1000000h:
// added to any clock's now it fits into 63 bits.
std::expected<std::uint64_t, std::string> parse_time(std::string_view text);

// For people and for --help: exact where a unit divides the number ("4GiB", which parse_size reads back), else rounded
// to a tenth ("12.8MiB").
std::string format_size(std::uint64_t bytes);
std::string format_time(std::uint64_t ns);
std::string format_rate(std::uint64_t per_second);  // powers of 1000, as links and drives are sold: "2G"

// A number and nothing else, as std::from_chars reads it; nullopt: it is none, or too large.
template <typename Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// 5898240 -> "5,898,240".
std::string group_digits(std::uint64_t number);

// lcores, CPUs: "1,3-5" -> 1 3 4 5, in the order given. The error says what is accepted. Numbers up to 65535.
std::expected<std::vector<unsigned>, std::string> parse_number_list(std::string_view text);

// Back again, runs shortened: 1 3 4 5 -> "1,3-5". Keeps the order.
std::string format_number_list(std::span<const unsigned> numbers);

// Parts between commas, empty ones too; "" has none.
std::vector<std::string> split_commas(std::string_view text);

}  // namespace wirespool::options

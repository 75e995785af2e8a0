// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wirespool::options {

// lcores, CPUs: "1,3-5" -> 1 3 4 5, in the order given. The error says what is accepted. Numbers up to 65535.
std::expected<std::vector<unsigned>, std::string> parse_number_list(std::string_view text);

// Back again, runs shortened: 1 3 4 5 -> "1,3-5". Keeps the order.
std::string format_number_list(std::span<const unsigned> numbers);

// Parts between commas, empty ones too; "" has none.
std::vector<std::string> split_commas(std::string_view text);

}  // namespace wirespool::options

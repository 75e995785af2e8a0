// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>
#include <vector>

namespace wirespool::filter {

// The words and signs of a pcap-filter(7) expression, as views into it. "&&", "||" and "!" come out as "and", "or" and
// "not"; a word may hold letters, digits and any of . : / - _ and a backslash in front. Empty if a character is
// strange.
std::vector<std::string_view> filter_tokens(std::string_view expression);

bool is_filter_operator(std::string_view token);  // of arithmetic or comparison

}  // namespace wirespool::filter

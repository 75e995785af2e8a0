// SPDX-License-Identifier: BSD-3-Clause
#include "vf/link.hpp"

#include <charconv>
#include <regex>

namespace wirespool::vf {
namespace {

std::optional<unsigned> first_match(const std::vector<std::string>& lines, const std::regex& pattern) {
  for (const auto& line : lines) {
    std::smatch match;
    if (!std::regex_search(line, match, pattern)) continue;
    const auto text = match[1].str();
    unsigned number = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{}) return number;
  }
  return std::nullopt;
}

}  // namespace

// 17 is a VEB, 19 a VSI (i40e_adminq_cmd.h, I40E_SWITCH_ELEMENT_TYPE).
std::optional<unsigned> bridge_seid(const std::vector<std::string>& lines) {
  return first_match(lines, std::regex(R"(type=17 seid=(\d+))"));
}

std::optional<unsigned> vf_seid(const std::vector<std::string>& lines, unsigned number) {
  return first_match(lines, std::regex("vf +" + std::to_string(number) + R"(: VSI id=\d+, seid=(\d+))"));
}

std::optional<unsigned> rule_id(const std::vector<std::string>& lines) {
  return first_match(lines, std::regex(R"(mirror rule (\d+) added)"));
}

}  // namespace wirespool::vf

// SPDX-License-Identifier: BSD-3-Clause
#include "options/paragraph.hpp"

#include <algorithm>

namespace wirespool::options {

std::vector<std::string> packed(const std::vector<std::string>& items, std::size_t width) {
  std::vector<std::string> lines;
  for (const auto& item : items) {
    if (lines.empty() || lines.back().size() + 1 + item.size() > width) {
      lines.push_back(item);
    } else {
      lines.back().append(" ").append(item);
    }
  }
  return lines;
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::vector<std::string> words;
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find(' ', start), text.size());
    words.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  std::string result;
  for (const auto& line : packed(words, width)) {
    if (!result.empty()) result += "\n" + std::string(indent, ' ');
    result += line;
  }
  return result;
}

}  // namespace wirespool::options

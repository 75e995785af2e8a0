// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wirespool::options {

// Items with a blank between them, packed into lines of at most `width` characters each; a longer one has a line of its
// own. No items make no line.
std::vector<std::string> packed(const std::vector<std::string>& items, std::size_t width);

// The words of a text packed as one text whose lines, but for the first, begin with `indent` blanks. No newline at the
// end.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace wirespool::options

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>

namespace wirespool::format {

// Makes text of foreign origin (a name, a word of a file, a path) safe for a terminal: on one line, and without control
// sequences. Control characters of ASCII and of Latin-1 (U+0080 to U+009F), those that turn the direction of writing,
// and whatever is no UTF-8 become \xHH, byte for byte.
std::string printable(std::string_view text);

}  // namespace wirespool::format

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>

namespace wirespool {

// What went wrong, for people: with what, why, and what to do about it.
struct Error {
  // Whose it is to mend: who asked, who runs the machine, or nobody any more.
  enum class Kind { wrong_use, not_ready, failed };

  std::string what;        // "/data/x.pcap"
  std::string why;         // "it is neither pcap nor pcapng"
  std::string what_to_do;  // may be empty
  Kind kind = Kind::wrong_use;

  std::string message() const {
    return what + (why.empty() ? "" : ": " + why) + (what_to_do.empty() ? "" : ": " + what_to_do);
  }
  // Of message()'s "what: why: what to do".
  static Error of_line(std::string_view line, Kind kind) {
    Error error;
    error.kind = kind;
    const auto first = line.find(": "), second = first == line.npos ? first : line.find(": ", first + 2);
    error.what = line.substr(0, first);
    if (first != line.npos) error.why = line.substr(first + 2, second == line.npos ? second : second - first - 2);
    if (second != line.npos) error.what_to_do = line.substr(second + 2);
    return error;
  }
};

}  // namespace wirespool

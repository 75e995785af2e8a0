// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace wirespool {

// What went wrong, for people: with what, why, and what to do about it.
struct Error {
  // Who can mend it: whoever asked, whoever runs the machine, or nobody any more.
  enum class Kind { wrong_use, not_ready, failed };

  std::string what;        // "/data/x.pcap"
  std::string why;         // "it is neither pcap nor pcapng"
  std::string what_to_do;  // may be empty
  Kind kind = Kind::wrong_use;

  std::string message() const {
    return what + (why.empty() ? "" : ": " + why) + (what_to_do.empty() ? "" : ": " + what_to_do);
  }
};

}  // namespace wirespool

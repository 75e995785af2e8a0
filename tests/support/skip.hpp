// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdio>
#include <set>
#include <string>

namespace wirespool::test {

// Says at the very end of the run, once for each reason, what was not tested and why (Catch2 before 3.3 has no SKIP).
//   if (const auto why = LoopDrive::missing()) return skip("loop drives", *why);
inline void skip(const std::string& what, const std::string& why) {
  struct Reasons {
    std::set<std::string> lines;
    ~Reasons() {
      for (const auto& line : lines) std::printf("skipped: %s\n", line.c_str());
    }
  };
  static Reasons reasons;
  reasons.lines.insert(what + ": " + why);
}

}  // namespace wirespool::test

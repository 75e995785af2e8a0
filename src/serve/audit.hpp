// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wirespool/timestamp.hpp"

namespace wirespool::serve {

// Who asked for what, and what came of it: one line of standard error.
struct AuditEntry {
  Timestamp begin;
  std::string client;         // address and port
  std::string by = "anyone";  // how it showed who it is
  std::string asked;          // method and target; of /query its text too. Empty: nothing that is a query
  int status = 0;
  std::uint64_t bytes = 0;                    // that the client was sent, with headers
  std::optional<std::uint64_t> packets = {};  // in an answer that has any; of one that was broken off not known
  std::string broken_off = {};                // why the answer is not whole; empty: it is
  double seconds = 0;
};

// Without control characters, whatever the client sent; ends with a newline.
std::string audit_line(const AuditEntry& entry);

}  // namespace wirespool::serve

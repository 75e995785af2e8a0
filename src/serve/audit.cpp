// SPDX-License-Identifier: BSD-3-Clause
#include "serve/audit.hpp"

#include <fmt/format.h>

#include "format/printable.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::serve {
namespace {

// In quotation marks, which are written \" inside.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char letter : format::printable(text)) {
    if (letter == '"') result += '\\';
    result += letter;
  }
  return result + '"';
}

}  // namespace

std::string audit_line(const AuditEntry& entry) {
  const auto packets = entry.packets ? fmt::format(" packets={}", *entry.packets) : "";
  return fmt::format("wirespool: serve: {} client={} by={} asked={} status={} bytes={}{} seconds={:.3f} {}\n",
                     rfc3339(entry.begin), entry.client, quoted(entry.by), quoted(entry.asked), entry.status,
                     entry.bytes, packets, entry.seconds,
                     entry.broken_off.empty() ? "whole" : "broken-off=" + quoted(entry.broken_off));
}

}  // namespace wirespool::serve

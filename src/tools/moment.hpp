// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "wirespool/timestamp.hpp"

namespace wirespool::tools {

// A point in time as people give it: RFC 3339 ("2026-11-21T07:54:30.5Z", "2026-11-21 08:54:30+01:00"), seconds since
// the epoch with a fraction ("1795247670.123456789"), or relative to now ("-10m", "-1h30m", "+5s"; ns us ms s m h d).
std::expected<Timestamp, std::string> parse_moment(std::string_view text, Timestamp now);

}  // namespace wirespool::tools

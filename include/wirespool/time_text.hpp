// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "wirespool/error.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool {

// "2026-11-21T07:54:30.123456789Z": RFC 3339, in UTC, with nine digits of the second. from_rfc3339() gives it back.
std::string rfc3339(Timestamp time);

// Any time of RFC 3339: with any zone and fraction (digits beyond the ninth do not count), "T" and "Z" in lower case or
// a blank for the "T". A leap second (":60") counts as the second before it. Before 1970 and after 2554: an Error.
std::expected<Timestamp, Error> from_rfc3339(std::string_view text);

// A time as people type it: as above, seconds since the epoch with a fraction ("1795247670.123456789"), or relative to
// `now` ("-10m", "-1h30m", "+5s"; ns us ms s m h d).
std::expected<Timestamp, Error> parse_time(std::string_view text, Timestamp now);

// Now, by this machine's clock; that of a capturing machine may differ.
Timestamp time_now();

}  // namespace wirespool

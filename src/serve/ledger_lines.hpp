// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <vector>

#include "storage/read_file.hpp"

namespace wirespool::serve {

// Bytes [begin, end) of a file: one line with its newline, or several in a row.
using Lines = storage::Extent;

// Where which lines of a ledger are, found by looking for newlines around a few places and not by reading all of it: of
// a ledger of a gigabyte as quickly as of a short one. What stands behind the last newline is no line yet: a capture
// may just be writing it. EFBIG: a line is longer than 16 MiB. As the file was when it was opened.

// All.
std::expected<Lines, storage::IoError> all_lines(const storage::ReadFile& file);

// The last `count`, in order; fewer if there are no more.
std::expected<Lines, storage::IoError> last_lines(const storage::ReadFile& file, std::uint64_t count);

// At most `count` (1 or more), in order: the first, the last, and others of about the same distance in bytes. The last
// alone if `count` is 1. All if each of them is longer than that distance.
std::expected<std::vector<Lines>, storage::IoError> spread_lines(const storage::ReadFile& file, std::uint64_t count);

}  // namespace wirespool::serve

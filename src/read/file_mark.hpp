// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "format/index_file.hpp"
#include "storage/io_error.hpp"
#include "storage/read_file.hpp"

namespace wirespool::read {

// By what a file is recognised (format::FileMark): its times and inode, and a checksum of pieces of its content. Reads
// at most 64 KiB.
std::expected<format::FileMark, storage::IoError> mark_of(const storage::ReadFile& file);

// The same for a file by its name, bypassing the page cache; nullopt if it cannot be read.
std::optional<format::FileMark> mark_of(const std::string& path);

// How a file compares with the mark of a file of the same length.
enum class Likeness {
  untouched,  // nothing was done to it since: inode and both times are the same
  moved,      // modification time and content are the same: it was moved, copied with its times or given another mode
  other,
};
// `look_inside`: false saves reading, and takes the content to be the same.
Likeness compare(const format::FileMark& mark, const storage::ReadFile& file, bool look_inside);

}  // namespace wirespool::read

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>

#include "storage/directory.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// Writes a small file whole: hidden temporary name `.NAME.tmp`, write, fdatasync, rename over `name`, sync the
// directory. On an error the old `name`, if there was one, is as before and the temporary name is gone. One writer per
// name.
std::expected<void, IoError> write_small_file(const Directory& directory, const std::string& name,
                                              std::span<const std::byte> content);

// An empty file whose name is the message. On the drive for good with the directory's next sync. Any thread.
bool put_marker(const Directory& directory, const std::string& name) noexcept;  // true also if it is there already
void remove_marker(const Directory& directory, const std::string& name) noexcept;
bool is_there(const Directory& directory, const std::string& name) noexcept;  // any file of this name

}  // namespace wirespool::storage

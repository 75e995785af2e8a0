// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "storage/directory.hpp"

namespace wirespool::storage {

// An empty file whose name is the message. On the drive for good with the directory's next sync. Any thread.
bool put_marker(const Directory& directory, const std::string& name) noexcept;  // true also if it is there already
void remove_marker(const Directory& directory, const std::string& name) noexcept;
bool is_there(const Directory& directory, const std::string& name) noexcept;  // any file of this name

}  // namespace wirespool::storage

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <span>
#include <string>

#include "storage/io_error.hpp"

namespace wirespool::machine {

// Whether this kernel can do write_only_in() (landlock(7): Linux 5.13, unless it is left out or a sandbox hides it).
bool has_write_places() noexcept;

// Irrevocably, for this thread and those it starts from now on: files are written, made, emptied, renamed and removed
// only in the directories of `paths`, by whatever name they are reached (landlock(7)); what is open stays so. The
// directory of a path is itself, if it is one, else the one it is in, and if it is a link also the one it leads to; a
// device or pipe stands for itself alone; "-", an empty text and what is not there give nothing. No new privileges from
// then on (prctl(2)). An error: has_write_places() is false, or the kernel refused, and nothing was given up.
std::expected<void, storage::IoError> write_only_in(std::span<const std::string> paths);

}  // namespace wirespool::machine

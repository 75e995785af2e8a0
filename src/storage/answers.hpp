// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <string>

namespace wirespool::storage {

// Whether a directory's drive takes a write (or refuses it) within `time`. A drive that hangs would hold the caller,
// who could not even exit: so a child writes one byte to a file without a name. To be called before there are threads
// that matter.
bool answers_within(const std::string& directory, std::chrono::milliseconds time) noexcept;

}  // namespace wirespool::storage

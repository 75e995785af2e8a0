// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <string>

namespace wirespool::storage {

// Whether a directory's drive takes a write (or refuses it) within `time`. One that hangs would keep whoever asks, even
// beyond his end: so it is a child that writes one byte to a file without a name. Before there are threads that matter.
bool answers_within(const std::string& directory, std::chrono::milliseconds time) noexcept;

}  // namespace wirespool::storage

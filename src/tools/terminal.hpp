// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace wirespool::tools {

// Whether people are watching: they want progress, which programs do not, and no packets.
bool stdin_is_terminal() noexcept;
bool stdout_is_terminal() noexcept;
bool stderr_is_terminal() noexcept;

// See storage/speaker.hpp; to be called first in the program.
void hold_standard_streams() noexcept;

}  // namespace wirespool::tools

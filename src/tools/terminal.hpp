// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace wirespool::tools {

// Whether people are watching: only they want progress, and they want no packets.
bool stdin_is_terminal() noexcept;
bool stdout_is_terminal() noexcept;
bool stderr_is_terminal() noexcept;

// See storage/speaker.hpp: first thing in the program.
void hold_standard_streams() noexcept;

}  // namespace wirespool::tools

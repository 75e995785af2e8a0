// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace wirespool::tools {

// Whether people are watching: only they want progress, and they want no packets.
bool stdout_is_terminal() noexcept;
bool stderr_is_terminal() noexcept;

}  // namespace wirespool::tools

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace wirespool::storage {

// isatty(3)
bool stdout_is_terminal() noexcept;
bool stderr_is_terminal() noexcept;

}  // namespace wirespool::storage

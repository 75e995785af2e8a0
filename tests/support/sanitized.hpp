// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace wirespool::test {

// Whether this program, and with it the one that it tests, has a sanitizer in it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace wirespool::test

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace wirespool {

inline constexpr const char* version = "0.1.0";  // meson.build has it too

}  // namespace wirespool

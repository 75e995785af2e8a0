// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "plan/limits.hpp"

namespace wirespool::capture {

plan::ProcessLimits own_limits();  // of this process, now

}  // namespace wirespool::capture

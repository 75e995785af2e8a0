// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <functional>

namespace wirespool::capture {

// Does something that may hang (a driver, a drive) on a thread of its own. false: it was not done by `end`; then it
// goes on, and whatever it uses has to stay for as long as the process does.
bool done_by(std::chrono::steady_clock::time_point end, std::function<void()> job);

}  // namespace wirespool::capture

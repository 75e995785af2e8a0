// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>

#include "storage/steady_time.hpp"

namespace wirespool::traffic {

using storage::steady_ns;

// Set by whoever ends a run, looked at by its threads between two bursts.
using StopFlag = std::atomic<bool>;

// Sleeps until a moment of CLOCK_MONOTONIC, at most 100 ms at a time.
void sleep_until(std::uint64_t moment_ns) noexcept;

// Of the calling thread (getrusage(2), RUSAGE_THREAD).
std::uint64_t thread_cpu_ns() noexcept;

}  // namespace wirespool::traffic

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

namespace wirespool::test {

// Calls about files that fail when they are told to: the C library's openat, mkdirat, fallocate, ftruncate, fdatasync,
// fsync, futimens, renameat, renameat2, linkat, unlinkat and pwrite, in any program that faulty_calls.cpp is linked
// into, or that has it as LD_PRELOAD and the same words in $FAULTY_CALLS.
//
// `faults`: "CALL:FIRST:TIMES:ERRNO[:PART]", several with a comma between them. Of the calls whose file name, or whose
// descriptor's path, has PART in it, the FIRSTth (from 0) and those behind it fail, TIMES of them. Empty: none any
// more. With an ERRNO of -1 the process dies instead, by _exit(died_in_a_call), as if it had been killed; with one
// below that, -N, the call takes N milliseconds and does not fail.
inline constexpr int died_in_a_call = 99;
void fail_calls(const std::string& faults);

// How many have failed since.
unsigned long failed_calls();

// As long as a test runs.
struct FailingCalls {
  explicit FailingCalls(const std::string& faults) { fail_calls(faults); }
  FailingCalls(const FailingCalls&) = delete;
  FailingCalls& operator=(const FailingCalls&) = delete;
  ~FailingCalls() { fail_calls(""); }
};

}  // namespace wirespool::test

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "support/process.hpp"

namespace wirespool::test {

// How an EAL of a test's own gets its memory and stays out of everybody's way: hugepages without files if enough are
// free and tests/run.sh has not set WIRESPOOL_TEST_NO_HUGE, else --no-huge; no PCI devices, no telemetry, a file prefix
// no other has.
Command eal_options(unsigned megabytes);

bool enough_hugepages(unsigned megabytes);  // free ones of 2 MiB

}  // namespace wirespool::test

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "faults/matrix.hpp"

namespace wirespool::test {

// Has the real program meet that row: frames over a veth pair onto two drives, the first of which, a file system of its
// own, the fault befalls; stops it, repairs, and counts with libpcap, capinfos and tcpdump what is in the files. Root,
// and takes seconds. Throws std::runtime_error if the row cannot be set up here.
Outcome run_row(const Row& row);

}  // namespace wirespool::test

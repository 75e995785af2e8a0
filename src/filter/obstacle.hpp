// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>

struct bpf_program;

namespace wirespool::filter {

// What keeps a program of classic BPF from being run by a machine that, unlike libpcap's interpreter, goes forward only
// and adds offsets without looking whether the sum wraps (DPDK's librte_bpf 22.11 and 24.11); empty: nothing. A bound
// of each register is carried through the program, which ends because it goes forward only.
std::string_view obstacle_of(const bpf_program& program);

}  // namespace wirespool::filter

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>

struct bpf_program;

namespace wirespool::filter {

// Why a classic BPF program must not be run by a machine that, unlike libpcap's interpreter, only jumps forward and
// adds offsets without checking whether the sum wraps (DPDK's librte_bpf 22.11 and 24.11); empty: it may. Follows a
// bound for each register through the program, which ends because all jumps go forward.
std::string_view obstacle_of(const bpf_program& program);

}  // namespace wirespool::filter

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

namespace wirespool::dpdk {

// Whether every jump in what the x86 back end of librte_bpf made of a program lands on an instruction, and none is one
// that it cannot write: back by 127 or 128 bytes it takes the short form, which reaches 128 from after the jump's own
// two, so that the jump would go 127 or 126 forward. Nothing else it makes of a program whose jumps all go backward is
// a short jump as far forward. False as well if there is an instruction it was never seen to make. True for other CPUs.
// (lib/bpf/bpf_jit_x86.c, emit_abs_jmp and emit_abs_jcc, the same from DPDK 22.11 to 25.11.)
bool jumps_land(std::span<const std::uint8_t> code);

}  // namespace wirespool::dpdk

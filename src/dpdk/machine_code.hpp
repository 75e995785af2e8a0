// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <span>

namespace wirespool::dpdk {

// Whether every jump in the machine code that the x86 back end of librte_bpf made of a program lands on an instruction,
// and none is one that it encodes wrongly: to jump back by 127 or 128 bytes it uses the short form, which reaches 128
// bytes back from the end of the jump's own two, so that the jump would go 127 or 126 forward. In a program whose jumps
// all go backward, no correct short jump goes that far forward. Also false if there is an instruction that the back end
// was never seen to make. True for other CPUs. (lib/bpf/bpf_jit_x86.c, emit_abs_jmp and emit_abs_jcc, the same from
// DPDK 22.11 to 25.11.)
bool jumps_land(std::span<const std::uint8_t> code);

}  // namespace wirespool::dpdk

// SPDX-License-Identifier: BSD-3-Clause
#include "filter/obstacle.hpp"

#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace wirespool::filter {
namespace {

constexpr std::uint64_t any_word = UINT32_MAX;
constexpr std::uint64_t largest_offset = INT32_MAX - sizeof(std::uint32_t);
constexpr std::uint64_t word_bits = 32;

constexpr std::string_view loops = "it loops";
constexpr std::string_view far = "it computes offsets that may be anywhere";
constexpr std::string_view shifts = "it computes how far to shift";
constexpr std::string_view strange = "it has an instruction of another kind";

// Upper bounds of the registers before an instruction.
struct Bounds {
  bool reached = false;
  std::uint64_t a = 0, x = 0;
  std::array<std::uint64_t, BPF_MEMWORDS> memory{};

  void join(const Bounds& other) {
    reached = true;
    a = std::max(a, other.a);
    x = std::max(x, other.x);
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = std::max(memory[i], other.memory[i]);
  }
};

std::uint64_t word_or_any(std::uint64_t value) { return value > any_word ? any_word : value; }

// The bound of A after `operation` with a value of at most `operand`, or of exactly that if `exact`.
std::uint64_t after_alu(unsigned operation, std::uint64_t a, std::uint64_t operand, bool exact) {
  switch (operation) {
    case BPF_ADD:
      return word_or_any(a + operand);
    case BPF_MUL:
      return word_or_any(a * operand);
    case BPF_DIV:
      return exact && operand ? a / operand : a;
    case BPF_MOD:
      return exact && operand ? std::min(a, operand - 1) : a;
    case BPF_AND:
      return std::min(a, operand);
    case BPF_OR:
    case BPF_XOR:
      return std::bit_ceil(std::max(a, operand) + 1) - 1;
    case BPF_LSH:
      return exact ? word_or_any(a << operand) : any_word;
    case BPF_RSH:
      return exact ? a >> operand : a;
    default:  // below zero it wraps
      return any_word;
  }
}

std::uint64_t loaded(const bpf_insn& insn, const Bounds& before) {
  switch (BPF_MODE(insn.code)) {
    case BPF_IMM:
      return insn.k;
    case BPF_MEM:
      return before.memory[insn.k % BPF_MEMWORDS];
    case BPF_MSH:
      return 4 * 15;
    case BPF_ABS:
    case BPF_IND:
      return BPF_SIZE(insn.code) == BPF_B ? UINT8_MAX : BPF_SIZE(insn.code) == BPF_H ? UINT16_MAX : any_word;
    default:
      return any_word;
  }
}

std::string_view wrong_load(const bpf_insn& insn, const Bounds& before) {
  const auto mode = BPF_MODE(insn.code);
  const bool of_packet = mode == BPF_ABS || mode == BPF_IND || mode == BPF_MSH;
  const std::uint64_t offset = insn.k + (mode == BPF_IND ? before.x : 0);
  return of_packet && offset > largest_offset ? far : std::string_view{};
}

std::string_view wrong_alu(const bpf_insn& insn, const Bounds& before) {
  const auto operation = BPF_OP(insn.code);
  if (operation != BPF_LSH && operation != BPF_RSH) return {};
  const std::uint64_t by = BPF_SRC(insn.code) == BPF_X ? before.x : insn.k;
  return by >= word_bits ? shifts : std::string_view{};
}

// For all instructions but jumps and returns: what stands in the way; updates the bounds.
std::string_view step(const bpf_insn& insn, Bounds& bounds) {
  const Bounds before = bounds;
  const bool with_x = BPF_SRC(insn.code) == BPF_X;
  switch (BPF_CLASS(insn.code)) {
    case BPF_LD:
      bounds.a = loaded(insn, before);
      return wrong_load(insn, before);
    case BPF_LDX:
      bounds.x = loaded(insn, before);
      return wrong_load(insn, before);
    case BPF_ST:
      bounds.memory[insn.k % BPF_MEMWORDS] = before.a;
      return {};
    case BPF_STX:
      bounds.memory[insn.k % BPF_MEMWORDS] = before.x;
      return {};
    case BPF_ALU:
      if (const auto wrong = wrong_alu(insn, before); !wrong.empty()) return wrong;
      bounds.a = after_alu(BPF_OP(insn.code), before.a, with_x ? before.x : insn.k, !with_x);
      return {};
    case BPF_MISC:
      (BPF_MISCOP(insn.code) == BPF_TAX ? bounds.x : bounds.a) = BPF_MISCOP(insn.code) == BPF_TAX ? before.a : before.x;
      return {};
    default:
      return strange;
  }
}

}  // namespace

std::string_view obstacle_of(const bpf_program& program) {
  std::vector<Bounds> all(program.bf_len);
  if (all.empty()) return strange;
  all.front().reached = true;
  const auto go_on = [&all](std::size_t to, const Bounds& bounds) {
    if (to < all.size()) all[to].join(bounds);
    return to < all.size();
  };
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (!all[at].reached) continue;
    const bpf_insn& insn = program.bf_insns[at];
    Bounds bounds = all[at];
    if (BPF_CLASS(insn.code) == BPF_RET) continue;
    if (BPF_CLASS(insn.code) != BPF_JMP) {
      if (const auto wrong = step(insn, bounds); !wrong.empty()) return wrong;
      if (!go_on(at + 1, bounds)) return strange;
    } else if (BPF_OP(insn.code) == BPF_JA) {
      if (static_cast<std::int32_t>(insn.k) < 0) return loops;
      if (!go_on(at + 1 + insn.k, bounds)) return strange;
    } else if (!go_on(at + 1 + insn.jt, bounds) || !go_on(at + 1 + insn.jf, bounds)) {
      return strange;
    }
  }
  return {};
}

}  // namespace wirespool::filter

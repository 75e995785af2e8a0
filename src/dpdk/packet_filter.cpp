// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/packet_filter.hpp"

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "dpdk/machine_code.hpp"
#include "dpdk/refer.hpp"

namespace wirespool::dpdk {
namespace {

using Parameters = std::unique_ptr<rte_bpf_prm, void (*)(void*)>;

// rte_bpf_convert keeps X of classic BPF in one register, and uses another for intermediate values.
constexpr std::uint8_t register_x = EBPF_REG_7, register_between = EBPF_REG_8;

bool loads_indirectly(const ebpf_insn& insn) {
  return BPF_CLASS(insn.code) == BPF_LD && BPF_MODE(insn.code) == BPF_IND;
}
bool jumps(const ebpf_insn& insn) {
  const auto operation = BPF_OP(insn.code);
  return BPF_CLASS(insn.code) == BPF_JMP && operation != EBPF_EXIT && operation != EBPF_CALL;
}
bool tests_low_bits(const ebpf_insn& insn) {
  return insn.code == (BPF_JMP | BPF_JSET | BPF_K) && insn.imm >= 0 && insn.imm <= INT8_MAX;
}

// Corrects what DPDK 22.11 and 24.11 get wrong. rte_bpf_convert makes `ld [x + k]` add A to k. The x86 machine code of
// `jset #k` with a k of one byte has its constant in one byte where `test` takes four: there k is put into a register.
std::vector<ebpf_insn> repaired(std::span<const ebpf_insn> converted) {
  std::vector<std::int16_t> place;  // of each, and of the end
  std::int16_t next = 0;
  for (const auto& insn : converted) {
    place.push_back(next);
    next = static_cast<std::int16_t>(next + (tests_low_bits(insn) ? 2 : 1));
  }
  place.push_back(next);
  std::vector<ebpf_insn> result;
  for (std::size_t i = 0; i < converted.size(); ++i) {
    ebpf_insn insn = converted[i];
    if (loads_indirectly(insn)) insn.src_reg = register_x;
    if (tests_low_bits(insn)) {
      result.push_back(
          {.code = BPF_ALU | EBPF_MOV | BPF_K, .dst_reg = register_between, .src_reg = 0, .off = 0, .imm = insn.imm});
      insn.code = BPF_JMP | BPF_JSET | BPF_X;
      insn.src_reg = register_between;
      insn.imm = 0;
    }
    if (jumps(insn)) {
      const auto target = place[i + 1 + static_cast<std::size_t>(insn.off)];
      insn.off = static_cast<std::int16_t>(target - static_cast<std::int16_t>(result.size()) - 1);
    }
    result.push_back(insn);
  }
  return result;
}

// Whether the instruction after it can be reached from it.
bool goes_on(const ebpf_insn& insn) { return insn.code != (BPF_JMP | BPF_JA) && insn.code != (BPF_JMP | EBPF_EXIT); }

std::int16_t distance(std::size_t from, std::size_t to) {
  return static_cast<std::int16_t>(static_cast<std::ptrdiff_t>(to) - static_cast<std::ptrdiff_t>(from) - 1);
}
ebpf_insn jump(std::size_t from, std::size_t to) {
  return {.code = BPF_JMP | BPF_JA, .dst_reg = 0, .src_reg = 0, .off = distance(from, to), .imm = 0};
}

// Where the program begins and each place it jumps to, in order. Never the first instruction: A is made zero there.
std::vector<std::size_t> heads_of(std::span<const ebpf_insn> program) {
  std::vector<std::size_t> heads{1};
  for (std::size_t i = 0; i < program.size(); ++i)
    if (jumps(program[i])) heads.push_back(i + 1 + static_cast<std::size_t>(program[i].off));
  std::ranges::sort(heads);
  heads.erase(std::ranges::unique(heads).begin(), heads.end());
  return heads;
}

// Sets A to A, whose upper half is always zero: two bytes of machine code (x86).
constexpr ebpf_insn filler{
    .code = BPF_ALU | EBPF_MOV | BPF_X, .dst_reg = EBPF_REG_0, .src_reg = EBPF_REG_0, .off = 0, .imm = 0};
constexpr unsigned filler_bits = 4;

// The same program, laid out so that all jumps but the first go backward, including those to the one exit when a load
// fails. The x86 machine code of other programs may be wrong (22.11 to 25.11): __rte_bpf_jit_x86 sizes jumps by dry
// runs until the total size no longer changes, but it sizes a forward jump by where its target was one run before. If
// one jump grows as another shrinks, the total stops changing too early: jumps miss their targets, and the code may be
// longer than its memory. A backward jump is sized by the present run alone. So from the second run on, which knows the
// registers to save, only the first jump's size may change, and the total changes with it; the second run's code is
// longer than the first's (at least two registers are saved: 14 bytes, and the first jump is at most 3 shorter).
//
// The pieces between heads come in reverse order; where one ran into the next, there is a jump. `fillers`: which pieces
// begin with a filler, by their number modulo filler_bits.
std::vector<ebpf_insn> laid_backward(std::span<const ebpf_insn> program, unsigned fillers) {
  constexpr std::size_t first_jump = 1, exit = 2;
  const auto heads = heads_of(program);
  std::vector<std::size_t> place(program.size());  // of heads
  std::vector<ebpf_insn> result{program[0],
                                jump(first_jump, exit),
                                {.code = BPF_JMP | EBPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  std::size_t end = program.size();
  for (std::size_t n = heads.size(); n-- > 0; end = heads[n]) {
    place[heads[n]] = result.size();
    if (fillers >> n % filler_bits & 1) result.push_back(filler);
    for (std::size_t i = heads[n]; i < end; ++i) {
      ebpf_insn insn = program[i];
      if (insn.code == (BPF_JMP | EBPF_EXIT))
        insn = jump(result.size(), exit);
      else if (jumps(insn))
        insn.off = distance(result.size(), place[i + 1 + static_cast<std::size_t>(insn.off)]);
      result.push_back(insn);
    }
    if (end < program.size() && goes_on(program[end - 1])) result.push_back(jump(result.size(), place[end]));
  }
  result[first_jump] = jump(first_jump, place[heads.front()]);
  return result;
}

// librte_bpf trusts pkt_len, which is only the driver's claim.
bool holds_its_length(const rte_mbuf& mbuf) noexcept {
  std::uint64_t held = 0;
  for (const auto* segment = &mbuf; segment; segment = segment->next) held += segment->data_len;
  return held == mbuf.pkt_len;
}

// How many frames ahead the first bytes are prefetched: a frame that was just received is in none of the core's caches.
constexpr unsigned ahead = 4;

void prefetch(const Burst& burst, unsigned i) noexcept {
  if (i < burst.count) rte_prefetch0(rte_pktmbuf_mtod(burst.mbufs[i], const void*));
}

}  // namespace

PacketFilter PacketFilter::make(filter::Program program, bool convert) {
  PacketFilter filter(std::move(program));
  if (convert) filter.facts_.why = filter.convert();
  if (filter.machine_code_)
    filter.facts_.engine = plan::FilterEngine::machine_code;
  else if (filter.bpf_)
    filter.facts_.engine = plan::FilterEngine::ebpf;
  return filter;
}

// Fills bpf_ and machine_code_; returns why that was not possible, else empty.
std::string PacketFilter::convert() {
  if (const auto obstacle = program_.obstacle(); !obstacle.empty()) return std::string(obstacle);
  const Parameters parameters(rte_bpf_convert(&program_.classic()), rte_free);
  if (!parameters) return fmt::format("rte_bpf_convert: {}", rte_strerror(rte_errno));
  const auto instructions = repaired({parameters->ins, parameters->nb_ins});
  for (unsigned fillers = 0; fillers < 1u << filler_bits; ++fillers) {
    const auto laid = laid_backward(instructions, fillers);
    rte_bpf_prm to_load = *parameters;
    to_load.ins = laid.data();
    to_load.nb_ins = static_cast<std::uint32_t>(laid.size());
    bpf_.reset(rte_bpf_load(&to_load));
    if (!bpf_) return fmt::format("rte_bpf_load: {}", rte_strerror(rte_errno));
    rte_bpf_jit code{};
    if (rte_bpf_get_jit(bpf_.get(), &code) != 0 || !code.func)
      return "librte_bpf could make no machine code of it (memory may not become code here?)";
    if (!jumps_land({reinterpret_cast<const std::uint8_t*>(code.func), code.sz})) continue;
    machine_code_ = code.func;
    return {};
  }
  return "its machine code, as librte_bpf makes it, would have jumps that go astray";
}

void PacketFilter::judge(const Burst& burst, std::uint64_t* verdicts, std::span<std::byte> scratch) const noexcept {
  for (unsigned i = 0; i < ahead; ++i) prefetch(burst, i);
  if (burst.pool && machine_code_) [[likely]] {
    for (unsigned i = 0; i < burst.count; ++i) {
      prefetch(burst, i + ahead);
      verdicts[i] = machine_code_(burst.mbufs[i]);
    }
    return;
  }
  if (burst.pool && bpf_) {
    rte_bpf_exec_burst(bpf_.get(), reinterpret_cast<void**>(burst.mbufs), verdicts, burst.count);
    return;
  }
  for (unsigned i = 0; i < burst.count; ++i) verdicts[i] = matches(burst.mbufs[i], scratch);
}

bool PacketFilter::matches(rte_mbuf* mbuf, std::span<std::byte> scratch) const noexcept {
  if (!bpf_ || !holds_its_length(*mbuf)) return interpret(mbuf, scratch);
  return (machine_code_ ? machine_code_(mbuf) : rte_bpf_exec(bpf_.get(), mbuf)) != 0;
}

bool PacketFilter::interpret(const rte_mbuf* mbuf, std::span<std::byte> scratch) const noexcept {
  const auto* const head = rte_pktmbuf_mtod(mbuf, const std::byte*);
  std::span<const std::byte> bytes(head, std::min<std::uint32_t>(mbuf->data_len, mbuf->pkt_len));
  if (bytes.size() < mbuf->pkt_len) {
    record::PacketRef whole;
    whole.owner = reinterpret_cast<std::uintptr_t>(mbuf);
    const auto wanted = std::min<std::uint32_t>(mbuf->pkt_len, static_cast<std::uint32_t>(scratch.size()));
    bytes = scratch.first(copy_chain(whole, 0, scratch.data(), wanted));
  }
  return program_.matches({.time = {}, .wirelen = mbuf->pkt_len, .bytes = bytes});
}

}  // namespace wirespool::dpdk

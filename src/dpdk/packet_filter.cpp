// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/packet_filter.hpp"

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "dpdk/refer.hpp"

namespace wirespool::dpdk {
namespace {

using Parameters = std::unique_ptr<rte_bpf_prm, void (*)(void*)>;

// rte_bpf_convert keeps X of classic BPF in one register, and has another for what it needs in between.
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

// What DPDK 22.11 and 24.11 get wrong, made right. rte_bpf_convert lets `ld [x + k]` add A to k. The machine code (x86)
// of `jset #k` with a k of one byte has its constant in one byte, and `test` takes four: there k is put into a
// register.
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

// librte_bpf believes pkt_len, which is a claim.
bool holds_its_length(const rte_mbuf& mbuf) noexcept {
  std::uint64_t held = 0;
  for (const auto* segment = &mbuf; segment; segment = segment->next) held += segment->data_len;
  return held == mbuf.pkt_len;
}

// How many frames ahead the first bytes are asked for: a frame that was just received is in no cache but the NIC's.
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

// Into bpf_ and machine_code_; why it did not come to that.
std::string PacketFilter::convert() {
  if (const auto obstacle = program_.obstacle(); !obstacle.empty()) return std::string(obstacle);
  const Parameters parameters(rte_bpf_convert(&program_.classic()), rte_free);
  if (!parameters) return fmt::format("rte_bpf_convert: {}", rte_strerror(rte_errno));
  const auto instructions = repaired({parameters->ins, parameters->nb_ins});
  rte_bpf_prm to_load = *parameters;
  to_load.ins = instructions.data();
  to_load.nb_ins = static_cast<std::uint32_t>(instructions.size());
  bpf_.reset(rte_bpf_load(&to_load));
  if (!bpf_) return fmt::format("rte_bpf_load: {}", rte_strerror(rte_errno));
  rte_bpf_jit code{};
  if (rte_bpf_get_jit(bpf_.get(), &code) == 0) machine_code_ = code.func;
  return machine_code_ ? "" : "librte_bpf could make no machine code of it (memory may not become code here?)";
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

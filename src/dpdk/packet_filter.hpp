// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_bpf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "dpdk/mbuf.hpp"
#include "filter/program.hpp"
#include "plan/machine.hpp"

namespace wirespool::dpdk {

// The program of a --filter, run on mbufs, always on whole frames. Never changes once it is made: any number of lcores
// may use it at a time.
class PacketFilter {
 public:
  // After Eal::start. librte_bpf runs it if it can, else libpcap's interpreter, as always if `convert` is false.
  static PacketFilter make(filter::Program program, bool convert = true);

  const plan::MachineFilter& facts() const { return facts_; }

  // Whether each mbuf of the Burst matches: 0 in `verdicts` (burst.count of them) if not. A frame in several segments,
  // with which librte_bpf cannot be trusted, is copied into `scratch`, as far as it fits.
  void judge(const Burst& burst, std::uint64_t* verdicts, std::span<std::byte> scratch) const noexcept;

 private:
  struct Destroy {
    void operator()(rte_bpf* bpf) const noexcept { rte_bpf_destroy(bpf); }
  };
  using MachineCode = std::uint64_t (*)(void*);

  explicit PacketFilter(filter::Program program) : program_(std::move(program)) {}
  std::string convert();
  bool matches(rte_mbuf* mbuf, std::span<std::byte> scratch) const noexcept;
  bool interpret(const rte_mbuf* mbuf, std::span<std::byte> scratch) const noexcept;

  filter::Program program_;
  std::unique_ptr<rte_bpf, Destroy> bpf_;  // nullptr: libpcap runs it
  MachineCode machine_code_ = nullptr;     // of bpf_, if there is any for this CPU
  plan::MachineFilter facts_;
};

}  // namespace wirespool::dpdk

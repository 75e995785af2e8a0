// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "wirespool/error.hpp"
#include "wirespool/packet.hpp"

struct bpf_program;

namespace wirespool::filter {

// A pcap-filter(7) expression compiled for packets of one link type. Never changes: copies share it, and any number of
// threads may use it at a time. Made by libpcap (libpcap_program.cpp); without libpcap (no_program.cpp), compile() is
// an error.
class Program {
 public:
  // `linktype`: LINKTYPE_ number of tcpdump.org. The error's `why` is libpcap's own.
  static std::expected<Program, Error> compile(const std::string& expression, std::uint32_t linktype);

  bool matches(const PacketView& packet) const;

  // For those who run it by other means: the classic BPF program, and its obstacle_of().
  const bpf_program& classic() const { return *program_; }
  std::string_view obstacle() const;

 private:
  explicit Program(std::shared_ptr<bpf_program> program) : program_(std::move(program)) {}
  std::shared_ptr<bpf_program> program_;
};

// "EN10MB", or its number if it has no name.
std::string name_of_linktype(std::uint32_t linktype);

}  // namespace wirespool::filter

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <string>

#include "wirespool/spool_file.hpp"

struct bpf_program;

namespace wirespool::tools {

// A pcap-filter(7) expression, compiled by libpcap for each link type that turns up. Movable; used by one thread.
class PacketFilter {
 public:
  // Tries it for Ethernet; the error is libpcap's.
  static std::expected<PacketFilter, std::string> compile(const std::string& expression);

  // A packet of a link type that the expression cannot be compiled for does not match.
  bool matches(const StoredPacket& packet);

 private:
  using Program = std::shared_ptr<bpf_program>;
  explicit PacketFilter(std::string expression) : expression_(std::move(expression)) {}
  const Program& program_for(std::uint32_t linktype);

  std::string expression_;
  std::map<std::uint32_t, Program> programs_;
  std::uint32_t last_linktype_ = 0;
  Program last_;
};

}  // namespace wirespool::tools

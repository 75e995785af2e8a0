// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wirespool/spool_file.hpp"

struct bpf_program;

namespace wirespool::filter {

// A pcap-filter(7) expression, compiled by libpcap for each link type that turns up. Movable; used by one thread.
class PacketFilter {
 public:
  // Tries it for Ethernet; the error is libpcap's.
  static std::expected<PacketFilter, std::string> compile(const std::string& expression);

  // For these link types; the error is the one of the first that the expression cannot be compiled for.
  static std::expected<PacketFilter, std::string> compile(const std::string& expression,
                                                          const std::vector<std::uint32_t>& linktypes);

  // A packet of a link type that the expression cannot be compiled for does not match, and refused() tells.
  bool matches(const StoredPacket& packet);

  // Link types of packets that the expression said nothing about, and why; each once.
  const std::vector<std::string>& refused() const { return refused_; }

 private:
  using Program = std::shared_ptr<bpf_program>;
  explicit PacketFilter(std::string expression) : expression_(std::move(expression)) {}
  std::string add(std::uint32_t linktype);
  const Program& program_for(std::uint32_t linktype);

  std::string expression_;
  std::map<std::uint32_t, Program> programs_;
  std::vector<std::string> refused_;
  std::optional<std::uint32_t> last_linktype_;
  Program last_;
};

}  // namespace wirespool::filter

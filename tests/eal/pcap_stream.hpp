// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/trace.hpp"

namespace wirespool::test {

// Captures of any size, packet by packet through libpcap. Constructors and next() throw std::runtime_error.

class PcapStream {
 public:
  explicit PcapStream(const std::filesystem::path& path);
  std::optional<PacketView> next();  // valid until the next call

 private:
  std::filesystem::path path_;
  std::shared_ptr<void> pcap_;
};

// All sealed files of a capture as one stream, oldest packet first.
class SpoolStream {
 public:
  explicit SpoolStream(const std::vector<std::filesystem::path>& directories);
  std::optional<PacketView> next();

 private:
  struct Head {
    PcapStream file;
    PacketView packet;
  };
  std::vector<Head> heads_;
  std::optional<std::size_t> taken_;  // whose packet was handed out last
};

// Writes a trace of any length in pieces that fit into memory; packet numbers run through.
void write_trace(const TraceSpec& spec, const std::filesystem::path& path);

// As trace_compare.hpp's, of files: "" or the first difference. Stamps have to increase strictly.
std::string compare_spool_in_order(const std::filesystem::path& trace,
                                   const std::vector<std::filesystem::path>& directories,
                                   std::uint32_t snaplen = 262144);

// Each sealed file by itself is a part of the trace, in its order, and all together are as many packets as it has.
std::string compare_each_file(const std::filesystem::path& trace, const std::vector<std::filesystem::path>& directories,
                              std::uint32_t snaplen = 262144);

}  // namespace wirespool::test

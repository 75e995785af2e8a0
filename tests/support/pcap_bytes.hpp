// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "support/trace.hpp"

namespace wirespool::test {

// Capture files of every dialect as bytes, for tests that change, cut and damage them. Written from the descriptions
// (pcap-savefile(5), draft-ietf-opsawg-pcapng), not by the code under test.
struct PcapDialect {
  bool big_endian = false;
  bool microseconds = false;
  std::uint32_t linktype = 1;
  std::uint32_t snaplen = 262144;
};
std::vector<std::byte> pcap_bytes(const Trace& trace, const PcapDialect& dialect = {});

struct PcapngDialect {
  bool big_endian = false;
  unsigned tsresol = 9;          // if_tsresol: 10^-n, or 2^-n with 0x80
  std::int64_t tsoffset = 0;     // if_tsoffset, seconds
  std::uint32_t block_type = 6;  // 6 enhanced, 3 simple, 2 the obsolete packet block
  std::uint16_t linktype = 1;
};
std::vector<std::byte> pcapng_bytes(const Trace& trace, const PcapngDialect& dialect = {});

void write_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes);
std::vector<std::byte> read_bytes(const std::filesystem::path& path);

}  // namespace wirespool::test

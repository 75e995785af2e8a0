// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "format/pcap_decoder.hpp"
#include "format/source_tally.hpp"
#include "wirespool/packet.hpp"
#include "wirespool/spool.hpp"

namespace wirespool::tools {

// All that is wrong with one file, and what is worth knowing but not wrong.
struct FileVerdict {
  std::string path;
  std::uint64_t file_bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // caplen bytes
  Timestamp first, last;
  std::vector<std::string> problems;
  std::vector<std::string> notices;
  std::uint64_t blocks_without_checksum = 0;  // in its index: a changed byte in these may go unnoticed
  bool tells_sources = false;                 // all interfaces of its packets have statistics (pcapng of a capture):
  format::MissingPackets missing;             // losses by these statistics
};

// Reads every record, bypassing the page cache, so that it checks what is on the drive.
// Once `stop` is true (nullptr: never) it reads no further, and the verdict is of no use.
FileVerdict verify_file(const SpoolEntry& entry, const std::atomic<bool>* stop = nullptr);

// Looks at the headers of a file's records one by one.
class RecordCheck {
 public:
  explicit RecordCheck(std::uint32_t snaplen) : snaplen_(snaplen) {}

  void record(std::uint64_t offset, const PacketView& packet, bool nanoseconds_sane) noexcept {
    if (packets == 0) first = packet.time;
    if (packet.time < last) note(backwards_, offset);
    if (packet.caplen() > packet.wirelen) note(longer_than_wire_, offset);
    if (packet.caplen() > snaplen_) note(longer_than_snaplen_, offset);
    if (!nanoseconds_sane) note(odd_nanoseconds_, offset);
    last = packet.time;
    ++packets;
    bytes += packet.caplen();
  }

  std::vector<std::string> problems() const;

  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  Timestamp first, last;

 private:
  struct Fault {
    std::uint64_t count = 0;
    std::uint64_t first_offset = 0;
  };
  static void note(Fault& fault, std::uint64_t offset) noexcept {
    if (fault.count++ == 0) fault.first_offset = offset;
  }

  std::uint32_t snaplen_;
  Fault backwards_, longer_than_wire_, longer_than_snaplen_, odd_nanoseconds_;
};

}  // namespace wirespool::tools

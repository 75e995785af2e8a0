// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "wirespool/error.hpp"
#include "wirespool/packet.hpp"

namespace wirespool {

// A packet and where it was found. Some link types (USB, NFLOG and others) begin with a header in the byte order of the
// kernel that wrote it: in `view` it is in this host's order, as libpcap has it, in `record` in the file's.
struct StoredPacket {
  PacketView view;                    // valid until the next call of what handed it out
  std::uint32_t linktype = 1;         // LINKTYPE_ number of tcpdump.org; 1 is Ethernet
  std::uint64_t offset = 0;           // of its record in the file
  std::span<const std::byte> record;  // as in the file: the record header (pcapng: the block) and the packet's bytes
};

// Packets that lie one after the other in memory: the records of nanosecond pcap, little-endian, as a SpoolFile has
// them. Valid until the next call of what handed it out.
struct PacketRun {
  std::span<const std::byte> records;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // caplen bytes
  Timestamp last;
};

// What ends a run; a packet that goes back in time ends it as well.
struct RunLimits {
  Timestamp earliest, latest;  // both included
  std::uint64_t packets = 1;   // at most this many
};

// Bytes [begin, end) of a file.
struct Stretch {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const Stretch&) const = default;
};

// The packets of one file: a SpoolFile of wirespool, or any pcap (both byte orders, micro- and nanoseconds) or pcapng
// file. Movable; used by one thread at a time. Needs no index, no root, and only the right to read the file.
class SpoolFile {
 public:
  enum class Mode {
    strict,   // ends at the first byte that cannot be right, and problem() says so
    salvage,  // goes on at the next plausible record (pcap only), and skipped() says what was passed over
  };
  struct Options {
    Mode mode = Mode::strict;
    std::size_t buffer_bytes = 1 << 20;
    bool keep_open = true;  // false: no descriptor is held between two reads, for readers of thousands of files
    // Read these only, in this order: each begins at a record. Empty: the whole file.
    std::vector<Stretch> stretches = {};
    // Of a file that is being written: so many bytes are in it by now. A record that is not all in them is not there
    // yet (extend()). With `stretches`, one that begins in front of this and ends here.
    std::optional<std::uint64_t> stored = std::nullopt;
  };

  static std::expected<SpoolFile, Error> open(const std::string& path, Options options);
  static std::expected<SpoolFile, Error> open(const std::string& path) { return open(path, Options{}); }
  SpoolFile(SpoolFile&&) noexcept;
  SpoolFile& operator=(SpoolFile&&) noexcept;
  ~SpoolFile();

  // The next packet, or nullptr at the end.
  const StoredPacket* next();
  // The packet that next() has just given and those after it that are within the limits and already in memory; next()
  // goes on after them. Empty if this file's records are not those of a SpoolFile.
  PacketRun run(const RunLimits& limits);

  // Of a file that was opened as being written: it has grown to so many bytes, and next() goes on.
  void extend(std::uint64_t stored);

  const std::string& path() const;
  std::uint32_t linktype() const;  // pcap: of all packets; pcapng: of the packet read last
  // The kinds of pcapng blocks passed over so far: what is in them, no packet shows.
  std::vector<std::string> passed_over() const;
  std::uint64_t size() const;                   // bytes of the file
  const std::optional<Error>& problem() const;  // why next() gave nothing before the end of the file
  const std::vector<Stretch>& skipped() const;  // salvage: the parts without packets

 private:
  class Reader;
  explicit SpoolFile(std::unique_ptr<Reader> reader);
  std::unique_ptr<Reader> reader_;
};

}  // namespace wirespool

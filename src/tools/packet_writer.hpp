// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "storage/output_file.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool::tools {

enum class OutputFormat { pcap, pcapng };

// Writes packets as a nanosecond pcap or pcapng stream, buffered by the mebibyte.
class PacketWriter {
 public:
  enum class Result {
    ok,
    closed,          // nobody reads the output any more
    failed,          // error() says why
    other_linktype,  // pcap has one link type a file, and this packet is of another
    too_late,        // pcap has 32 bits for seconds, which end in 2106
  };

  // `linktype`: that of the file if no packet comes.
  PacketWriter(storage::OutputFile output, OutputFormat format, std::uint32_t linktype);

  Result write(const StoredPacket& packet);
  // Whether runs of pcap records can be written unchanged.
  bool takes_records() const { return format_ == OutputFormat::pcap; }
  Result write_records(std::span<const std::byte> records, std::uint32_t linktype);
  Result show();    // writes what is buffered, and the header if there was no packet: a reader sees it
  Result finish();  // also writes the header, if there was no packet

  std::uint64_t bytes() const { return flushed_ + used_; }  // of the stream so far
  // How long the stream will be with this packet, if it is not the first.
  std::uint64_t bytes_with(const StoredPacket& packet) const;

  const storage::IoError& error() const { return error_; }

 private:
  Result flush();
  void begin(std::uint32_t linktype);
  Result room_for(std::size_t bytes);
  void put(std::span<const std::byte> bytes);
  std::uint32_t interface_of(std::uint32_t linktype);
  Result checked(const std::expected<void, storage::IoError>& result);
  Result write_pcap(const StoredPacket& packet);
  Result write_pcapng(const StoredPacket& packet);

  storage::OutputFile output_;
  OutputFormat format_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t used_ = 0;
  std::uint64_t flushed_ = 0;
  std::uint32_t linktype_;
  bool begun_ = false;
  std::vector<std::uint32_t> linktypes_;  // of pcapng: the interfaces described so far
  storage::IoError error_;
};

}  // namespace wirespool::tools

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "format/header_end.hpp"
#include "storage/output_file.hpp"
#include "tools/packet_writer.hpp"
#include "wirespool/error.hpp"
#include "wirespool/filter.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool::tools {

// When an output goes on in a new file.
struct Split {
  std::optional<std::uint64_t> bytes = {};  // no file is longer, unless a single packet is
  std::optional<std::uint64_t> ns = {};     // of packet time, counted from the very first packet

  bool any() const { return bytes || ns; }
};

// One -w of `wirespool extract`.
struct OutputRequest {
  std::string path;             // "-": standard output
  storage::ByteSink sink = {};  // instead of the path, which is its name
  std::optional<Filter> filter = {};
  OutputFormat format = OutputFormat::pcap;
  Split split = {};
  std::optional<format::Slice> slice = {};
  std::uint32_t linktype = 1;  // of a file without packets
  std::uint64_t packets = UINT64_MAX;
  std::uint64_t bytes = UINT64_MAX;         // of packets: no more after the one that reaches it
  std::vector<std::string> not_these = {};  // paths that may not be written to
};

// Where the packets of one -w go: a stream, or one after another files "NAME_00000_20261121075430.EXT", as editcap
// names them: a number, and the time of the first packet in UTC. Each file is synced and gets its name when it is
// whole; one without packets is "NAME_00000.EXT".
class ExtractOutput {
 public:
  using Result = PacketWriter::Result;

  static std::expected<ExtractOutput, Error> open(OutputRequest request);

  // false: it takes nothing more, because its reader has gone or it has all the packets it may have.
  bool open_still() const { return !closed_ && packets_ < request_.packets && bytes_ < request_.bytes; }
  bool wants(const StoredPacket& packet) { return !request_.filter || request_.filter->matches(packet); }

  Result write(const StoredPacket& packet);
  // Whether runs of records can be taken unchanged.
  bool takes_records() const {
    return !request_.split.any() && !request_.slice && request_.bytes == UINT64_MAX && writer_ &&
           writer_->takes_records();
  }
  std::uint64_t room() const { return request_.packets - packets_; }
  Result write(const PacketRun& run, std::uint32_t linktype);
  Result show();  // what was written reaches its reader, the header too; Result::closed if that has gone
  Result finish();
  Error explain(Result result) const;

  const std::string& path() const { return request_.path; }
  std::uint64_t packets() const { return packets_; }
  std::uint64_t bytes() const { return bytes_; }  // caplen bytes
  std::uint64_t files() const { return files_; }
  bool closed() const { return closed_; }                   // its reader left before the end
  std::uint64_t not_sliced() const { return not_sliced_; }  // kept whole: no layers are known of their link type

 private:
  explicit ExtractOutput(OutputRequest request) : request_(std::move(request)) {}
  StoredPacket sliced(StoredPacket packet);
  bool is_full(const StoredPacket& packet) const;
  Result go_on(std::optional<Timestamp> first);
  std::string next_name(std::optional<Timestamp> first) const;
  Result taken(Result result);

  OutputRequest request_;
  std::optional<PacketWriter> writer_;
  std::optional<Error> refused_;  // the next file
  Timestamp ends_;                // of a split by time: the first moment that belongs to the next file
  std::uint64_t packets_ = 0, bytes_ = 0, files_ = 0, not_sliced_ = 0;
  bool closed_ = false;
};

// An Error if two outputs lead to one file, or one leads to a file that is read. Opens and makes nothing.
std::optional<Error> check_outputs(const std::vector<OutputRequest>& outputs);

}  // namespace wirespool::tools

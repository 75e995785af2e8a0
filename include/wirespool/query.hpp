// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "wirespool/error.hpp"
#include "wirespool/flow_condition.hpp"
#include "wirespool/spool.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool {

// Which packets of a Spool.
struct Query {
  Timestamp from{0};
  Timestamp to{std::numeric_limits<std::uint64_t>::max()};  // not included
  std::function<bool(const StoredPacket&)> matches;         // empty: all do
  // What a Block has to have for any of its packets to match; only saves reading. Must follow from `matches`.
  FlowCondition condition;
  bool use_index = true;
  std::size_t buffer_bytes = 128 << 20;  // for all files together, as far as they leave some for each
};

// The packets of all files of a Spool that a Query asks for, in order of time. Files are opened when their time has
// come and closed when they are done, so that thousands of them take no more than the few that overlap. Packets of one
// time keep the order they have in their file, and files of one writer take turns as they were written.
class PacketStream {
 public:
  PacketStream(const Spool& spool, Query query);  // `spool` outlives it
  PacketStream(PacketStream&&) noexcept;
  PacketStream& operator=(PacketStream&&) noexcept;
  ~PacketStream();

  // The next packet, valid until the next call; nullptr at the end.
  const StoredPacket* next();
  // What next() has just given, and what comes behind it out of the same file, `packets` at most: for who wants many at
  // once. Empty if the file is no SpoolFile or the Query looks at each packet.
  PacketRun run(std::uint64_t packets);

  // Files that could not be read, or not to their end. The rest was read all the same.
  const std::vector<Error>& problems() const;
  // Indices that were not used, each once.
  const std::vector<std::string>& notices() const;

  struct Progress {
    std::uint64_t bytes_in_all = 0;  // of all files
    std::uint64_t bytes_read = 0;
    std::uint64_t bytes_left_out = 0;  // known from an index not to matter
    std::uint64_t files_opened = 0;
    std::uint64_t most_files_at_once = 0;
  };
  Progress progress() const;

 private:
  class Merge;
  std::unique_ptr<Merge> merge_;
};

}  // namespace wirespool

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "format/file_name.hpp"
#include "format/flow_encoder.hpp"
#include "policy/placement.hpp"
#include "stats/counter.hpp"
#include "storage/direct_file.hpp"
#include "storage/directory.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::record {

struct FlowFilesOptions {
  std::string stem;
  Timestamp capture_start;
  bool ipfix = true;  // else JSON
  policy::Rotation rotation;
  std::chrono::nanoseconds flush_age{};  // the longest a record waits in memory
};

// Written by the thread that writes the files, read by any.
struct FlowFilesCounters {
  stats::Counter written, written_packets;  // in files that are sealed or still open
  stats::Counter unwritten;                 // the directory did not take them
  stats::Counter files;                     // sealed
};

// The files of flow records: hidden while they are written, synced and named when they are full, as a capture's files
// are. What could not be written is counted, and the next records are tried with another file. One thread.
class FlowFiles {
 public:
  // `directory` outlives it.
  FlowFiles(FlowFilesOptions options, const storage::Directory& directory)
      : options_(std::move(options)), directory_(directory) {}

  void add(const format::FlowRecord& record);
  void tend();      // now and then: what has waited for long enough is written, what is old enough sealed
  void end_file();  // sealed; the next record begins another one

  const FlowFilesCounters& counters() const { return counters_; }
  std::optional<std::string> take_complaint();  // since it was asked last: why something could not be written

 private:
  using Clock = std::chrono::steady_clock;
  using Done = std::expected<void, storage::IoError>;

  Done open();
  void write();
  void fail(const storage::IoError& why);
  Done seal();
  Done name_it(const std::string& name);
  void take_back(const storage::IoError& why);
  std::string_view suffix() const { return options_.ipfix ? format::ipfix_flows_suffix : format::json_flows_suffix; }

  FlowFilesOptions options_;
  const storage::Directory& directory_;
  std::unique_ptr<format::FlowEncoder> encoder_;
  std::optional<storage::DirectFile> file_;
  std::string bytes_;                                // encoded, not written
  std::uint64_t waiting_ = 0, waiting_packets_ = 0;  // records in bytes_ or in the encoder
  std::uint64_t length_ = 0;                         // of the file
  std::uint64_t in_file_ = 0, packets_in_file_ = 0;
  Timestamp first_;  // of the file's first record
  unsigned sequence_ = 0;
  Clock::time_point began_, waits_since_;
  std::optional<std::string> complaint_;
  FlowFilesCounters counters_;
};

}  // namespace wirespool::record

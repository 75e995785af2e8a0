// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "storage/named_file.hpp"
#include "tools/ledger_file.hpp"
#include "wirespool/error.hpp"
#include "wirespool/spool.hpp"

namespace wirespool::tools {

// `wirespool ls DIR|FILE...`
struct LsOptions {
  std::vector<std::string> places;
  bool scan = false;                     // read files that have no index
  std::uint64_t gap_ns = 1'000'000'000;  // stretches without a packet that are longer are listed
};

struct ListedFile {
  SpoolEntry entry;                     // with what a scan found
  bool pinned = false;                  // retention does not remove it: FILE.keep is beside it
  bool counted = false;                 // packets, bytes and times are known
  std::optional<stats::Losses> losses;  // of the whole capture while this file's packets arrived; nullopt: not known
  std::optional<format::ClockBound> clock;  // how far its times may be from UTC; nullopt: unknown
  double bits_per_s() const;                // of its packets, from the first to the last
};

// A stretch in which no file has a packet.
struct Gap {
  Timestamp from, to;
  std::optional<stats::Losses> losses;  // nullopt: not known
};

struct ListedCapture {
  enum class State { ended, running, cut_off, unknown };
  std::string stem;
  Timestamp start;  // zero: there is no capture.json
  State state = State::unknown;
  std::string ended_by;
  std::vector<std::string> directories;
  std::vector<ListedFile> files;
  std::vector<Gap> gaps;
  std::optional<stats::Losses> losses;  // to the last line of its ledger; nullopt: there is none
  std::uint64_t skipped_lines = 0;      // of its ledger: they make no sense

  std::uint64_t packets = 0, bytes = 0, file_bytes = 0, uncounted = 0;
  Timestamp first, last;  // of the counted files
  double bits_per_s() const;
};

// A directory that was looked at or captured to, with its file system; nullopt: it does not say.
struct ListedDrive {
  std::string directory;
  std::optional<storage::FileSystem> file_system;
};

struct LsReport {
  std::vector<ListedCapture> captures;
  std::vector<ListedDrive> drives;  // by directory
  std::vector<ListedFile> others;   // capture files that wirespool did not name
  std::vector<std::string> notices;
};

std::expected<LsReport, Error> ls(const LsOptions& options);

std::string render_table(const LsReport& report);
std::string render_json(const LsReport& report);

}  // namespace wirespool::tools

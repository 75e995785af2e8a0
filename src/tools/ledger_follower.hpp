// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "format/ledger_line.hpp"
#include "storage/read_file.hpp"
#include "wirespool/error.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::tools {

// The ledger of a capture, read as it grows. One thread; looks at files only when it is asked.
class LedgerFollower {
 public:
  // The newest capture in these directories that has not written its last line. It is an error if there is none.
  static std::expected<LedgerFollower, Error> find(const std::vector<std::string>& directories);

  const std::string& stem() const { return stem_; }
  Timestamp start() const { return start_; }  // the capture's
  const std::string& directory() const { return directory_; }

  // The lines that have come since this was asked last; at first, those of the last few minutes. The last line of a
  // capture that has ended is `final`. A line that makes no sense is skipped: the next one has all it could have said.
  std::vector<format::LedgerLine> take_new();

  // Whether the capture has files open. If not, and no line comes any more, it ended without a last one.
  bool has_open_files() const;

 private:
  LedgerFollower(std::string directory, std::string stem, Timestamp start)
      : directory_(std::move(directory)), stem_(std::move(stem)), start_(start) {}
  std::optional<format::LedgerLine> take_final();
  std::string path() const;

  std::string directory_, stem_;
  Timestamp start_;
  std::optional<storage::FileIdentity> read_;  // the file that was read up to `offset_`
  std::uint64_t offset_ = 0;
  std::string half_;                                  // of a line that is not whole yet
  std::optional<storage::FileIdentity> looked_into_;  // the capture.json
};

}  // namespace wirespool::tools

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "format/live_file.hpp"
#include "storage/read_file.hpp"

namespace wirespool::read {

// A capture that writes into a directory, by its live file (format/live_file.hpp), which it may have removed since.
// Movable; one thread.
class LiveCapture {
 public:
  // Those of which a process holds the live file; what a crash left is none.
  static std::vector<LiveCapture> in(const std::string& directory);
  // The same, without those whose live files are these.
  static std::vector<LiveCapture> in(const std::string& directory, const std::vector<storage::FileIdentity>& known);

  const std::string& directory() const { return directory_; }
  const std::string& stem() const { return stem_; }
  storage::FileIdentity identity() const { return file_.identity(); }  // of the live file
  bool running() const { return running_; }                            // when it was looked at last
  const format::LiveFile& told() const { return told_; }               // what it told last

  // Looks at it anew; false: it tells the same as before. What a capture told last stays when it has ended, and counts
  // then.
  bool look_again();

 private:
  LiveCapture(std::string directory, std::string stem, storage::ReadFile file)
      : directory_(std::move(directory)), stem_(std::move(stem)), file_(std::move(file)) {}
  std::optional<format::LiveFile> read() const;

  std::string directory_, stem_;
  storage::ReadFile file_;
  format::LiveFile told_;
  bool running_ = true;
};

// Where a file is that was open under this hidden path: there, or under the name that it got meanwhile in the same
// directory, by its inode.
std::string path_of_open_file(const std::string& directory, const std::string& hidden_path, std::uint64_t inode);

}  // namespace wirespool::read

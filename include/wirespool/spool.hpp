// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "wirespool/error.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool {

// A sealed SpoolFile, or another capture file that was named.
struct SpoolEntry {
  enum class Index { none, time, flow };

  std::string path;
  std::string directory;
  std::uint64_t file_bytes = 0;

  // From its name; only if `named`, that is if wirespool could have given it.
  bool named = false;
  std::string stem;
  unsigned writer = 0;
  unsigned sequence = 0;
  Timestamp name_time;

  // From its index; without one, unknown and zero.
  Index index = Index::none;
  bool index_untouched = false;    // nothing was done to the file since; else, only the index's word is there so far
  bool ordered = false;            // its times are known never to decrease
  std::uint32_t capture_mark = 0;  // tells which capture wrote it, whatever the clock did
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // caplen bytes
  Timestamp first;
  Timestamp last;
};

// All that a capture left in one directory, besides its files.
struct SpoolCapture {
  std::string directory;
  std::string stem;
  Timestamp start;
  std::string plan_path;    // STEM-<start>.capture.json
  std::string ledger_path;  // STEM-<start>.ledger.jsonl; empty if there is none
};

// The sealed files of one or several captures, over all their directories. Works while a capture writes into them: it
// knows what was sealed when it was opened.
class Spool {
 public:
  // Directories, of which sealed SpoolFiles are taken, and files, of which any pcap and pcapng is. A file named twice
  // counts once.
  static std::expected<Spool, Error> open(const std::vector<std::string>& places);

  const std::vector<SpoolEntry>& files() const { return files_; }          // by time, then writer and sequence
  const std::vector<SpoolCapture>& captures() const { return captures_; }  // by stem, start and directory
  const std::vector<std::string>& notices() const { return notices_; }     // what was left out or ignored, and why

  // The capture in the file's own directory that it belongs to: the one whose mark its index has; without a mark, the
  // last one that had begun by the time in its name, which is wrong where a clock was set back. nullptr if none is
  // known.
  const SpoolCapture* capture_of(const SpoolEntry& file) const;

 private:
  std::vector<SpoolEntry> files_;
  std::vector<SpoolCapture> captures_;
  std::vector<std::string> notices_;
};

}  // namespace wirespool

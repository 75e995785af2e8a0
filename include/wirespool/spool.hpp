// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
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
  // How far these times may be from UTC, at most, as the capture knew while it wrote the file.
  std::string clock_source;                     // what stamped packets: tsc, hw, mixed; empty: its index does not say
  std::string clock_discipline;                 // who kept the system's clock on UTC: kernel, none; empty: not known
  std::optional<std::uint64_t> clock_error_ns;  // nullopt: not known
};

// All that a capture left in one directory, besides its files.
struct SpoolCapture {
  std::string directory;
  std::string stem;
  Timestamp start;
  std::string plan_path;    // STEM-<start>.capture.json
  std::string ledger_path;  // STEM-<start>.ledger.jsonl; empty if there is none
};

// What Spool::refresh() found to be otherwise than before.
struct SpoolChanges {
  std::vector<SpoolEntry> added;     // sealed since, or with other content; in the order of files()
  std::vector<std::string> removed;  // paths of what is gone, or has other content now
};

// The sealed files of one or several captures, over all their directories. Works while a capture writes into them: it
// knows what was sealed when it was opened or refreshed. A value: copies know the same and go their own ways. Holds no
// descriptor; used by one thread at a time.
class Spool {
 public:
  // Directories, of which sealed SpoolFiles are taken, and files, of which any pcap and pcapng is. A file named twice
  // counts once.
  static std::expected<Spool, Error> open(const std::vector<std::string>& places);

  // Looks at the same places again. What is known of a file that is the same (by inode, length and times) is kept: its
  // index is not read again. A file that was only renamed, or had its mode changed, is neither added nor removed. A
  // Merge that was made before is not affected. A file that was named and is gone is removed, a directory that is gone
  // an Error, after which all is as it was.
  std::expected<SpoolChanges, Error> refresh();

  // References into it: they end with it, and with the next refresh().
  const std::vector<SpoolEntry>& files() const& { return files_; }          // by time, then writer and sequence
  const std::vector<SpoolCapture>& captures() const& { return captures_; }  // by stem, start and directory
  const std::vector<std::string>& notices() const& { return notices_; }     // what was left out or ignored, and why
  const std::vector<SpoolEntry>& files() const&& = delete;                  // of a Spool that nothing holds
  const std::vector<SpoolCapture>& captures() const&& = delete;
  const std::vector<std::string>& notices() const&& = delete;

  // The capture in the file's own directory that it belongs to: the one whose mark its index has; without a mark, the
  // last one that had begun by the time in its name, which is wrong where a clock was set back. nullptr if none is
  // known.
  const SpoolCapture* capture_of(const SpoolEntry& file) const;

 private:
  struct Place {
    std::string path;
    bool file = false;  // known to have been one: it may be gone later, as any file of a directory
  };
  // What a file is known again by, and what was said of it.
  struct Seen {
    std::uint64_t device = 0, inode = 0, bytes = 0, modified_ns = 0, changed_ns = 0;
    std::vector<std::string> notices;
  };
  class Search;
  Spool() = default;
  std::expected<Spool, Error> look_again() const;
  SpoolChanges changes_since(const Spool& before) const;

  std::vector<Place> places_;
  std::vector<SpoolEntry> files_;
  std::map<std::string, Seen> seen_;  // by path, of files that could be opened
  std::vector<SpoolCapture> captures_;
  std::vector<std::string> notices_;
};

}  // namespace wirespool

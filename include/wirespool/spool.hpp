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

// A sealed SpoolFile, or another capture file that was given by name.
struct SpoolEntry {
  enum class Index { none, time, flow };

  std::string path;
  std::string directory;  // where it was captured to, or was given
  bool archived = false;  // it was moved from there since: `path` is in an archive
  std::uint64_t file_bytes = 0;

  // A running capture writes it: it has a hidden name, and file_bytes of it can be read by now. Not `named`, but its
  // stem and writer are known, and packets: at least as many as it has.
  bool open = false;
  std::uint64_t inode = 0;  // of an open file: by it a Merge finds the file when it was sealed meanwhile

  // From its name; only if `named`, that is if wirespool could have given it.
  bool named = false;
  std::string stem;
  unsigned writer = 0;
  unsigned sequence = 0;
  Timestamp name_time;

  // From its index; without one, unknown and zero.
  Index index = Index::none;
  bool index_untouched = false;    // nothing was done to the file since; else its content is not compared yet
  bool ordered = false;            // its times are known never to decrease
  std::uint32_t capture_mark = 0;  // tells which capture wrote it, whatever the clock did
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // caplen bytes
  Timestamp first;
  Timestamp last;
  // A bound on the error of these times against UTC, as known to the capture while it wrote the file.
  std::string clock_source;                     // what stamped packets: tsc, hw, mixed; empty: the index does not say
  std::string clock_discipline;                 // what kept the system's clock on UTC: kernel, none; empty: not known
  std::optional<std::uint64_t> clock_error_ns;  // nullopt: not known
};

// All that a capture left in one directory, besides its files.
struct SpoolCapture {
  std::string directory;
  std::string stem;
  Timestamp start;
  std::string plan_path;                   // STEM-<start>.capture.json
  std::string ledger_path;                 // STEM-<start>.ledger.jsonl; empty if there is none
  std::vector<std::string> archives = {};  // directories to which files of it were moved, by STEM-<start>.archived.json
};

// What Spool::refresh() found changed.
struct SpoolChanges {
  std::vector<SpoolEntry> added;     // sealed since, or with new content; in the order of files()
  std::vector<std::string> removed;  // paths of files that are gone, or have new content
};

// The sealed files of one or several captures, over all their directories. Works while a capture writes into them: it
// knows what was sealed when it was opened or refreshed. A value: copies are independent. Holds no descriptor; used by
// one thread at a time.
class Spool {
 public:
  // Whether files are also looked for in the archives to which they were moved, or these are only named (captures()).
  enum class Archives { searched, named };

  // Whether what running captures have stored in their open files belongs to it too. (Follow reads them as they grow.)
  enum class OpenFiles { left_out, included };

  // `places`: directories, of which the sealed SpoolFiles are taken, and files, which may be any pcap or pcapng. A file
  // named twice counts once; so does one that is both in its directory and in an archive, where it is not read.
  static std::expected<Spool, Error> open(const std::vector<std::string>& places,
                                          Archives archives = Archives::searched,
                                          OpenFiles open_files = OpenFiles::left_out);

  // Looks at the same places again. What is known of a file that is the same (by inode, length and times) is kept: its
  // index is not read again. A file that was only renamed, had its mode changed or was moved into an archive is neither
  // added nor removed. A Merge that was made before is not affected. A file that was given by name and is gone counts
  // as removed. Open files are in files() as they are by now, and added when they are sealed. A directory that cannot
  // be listed: `refused` is an Error, and then nothing has changed; `kept`: what was known of it stays, and problems()
  // says why.
  enum class Unlisted { refused, kept };
  std::expected<SpoolChanges, Error> refresh(Unlisted unlisted = Unlisted::refused);

  // References into the Spool: valid as long as it is, until the next refresh().
  const std::vector<SpoolEntry>& files() const& { return files_; }          // by time, then writer and sequence
  const std::vector<SpoolCapture>& captures() const& { return captures_; }  // by stem, start and directory
  const std::vector<std::string>& notices() const& { return notices_; }     // what was left out or ignored, and why
  const std::vector<Error>& problems() const& { return problems_; }         // what cannot be listed: files miss
  const std::vector<SpoolEntry>& files() const&& = delete;                  // they would dangle
  const std::vector<SpoolCapture>& captures() const&& = delete;
  const std::vector<Error>& problems() const&& = delete;
  const std::vector<std::string>& notices() const&& = delete;

  // The capture in the file's own directory that wrote it: the one whose mark its index has; without a mark, the last
  // one that had begun by the time in the file's name, which is wrong where a clock was set back. nullptr if none is
  // known.
  const SpoolCapture* capture_of(const SpoolEntry& file) const;

 private:
  struct Place {
    std::string path;
    bool file = false;  // known to have been one: it may be gone later, as any file of a directory
  };
  // By what a file is recognised, and what is known of it.
  struct Seen {
    std::uint64_t device = 0, inode = 0, bytes = 0, modified_ns = 0, changed_ns = 0;
    std::vector<std::string> notices;
  };
  class Search;
  Spool() = default;
  std::expected<Spool, Error> look_again(Unlisted unlisted) const;
  SpoolChanges changes_since(const Spool& before) const;

  std::vector<Place> places_;
  std::vector<SpoolEntry> files_;
  std::map<std::string, Seen> seen_;  // by path, of files that could be opened
  std::vector<SpoolCapture> captures_;
  std::vector<std::string> notices_;
  std::vector<Error> problems_;
  Archives archives_ = Archives::searched;
  OpenFiles open_files_ = OpenFiles::left_out;
};

}  // namespace wirespool

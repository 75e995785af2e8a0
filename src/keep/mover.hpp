// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <expected>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "keep/shelf.hpp"
#include "storage/directory.hpp"
#include "storage/io_error.hpp"

namespace wirespool::keep {

// Makes a directory an archive: puts a marker into it, by which it is known to be mounted later. Whoever names the
// directory calls this; nothing else makes one of a directory.
std::expected<void, storage::IoError> claim_archive(const std::string& directory);
// ENOENT: the directory has no marker, as the mount point of an archive that is not mounted.
std::expected<storage::Directory, storage::IoError> open_archive(const std::string& directory);

// Where in an archive the files of a capture go that were in `directory` (an absolute path): a directory for each
// capture, and in it one for each output directory: "STEM-<start>/data-nvme0" for /data/nvme0.
struct ArchivePlace {
  std::string capture, drive;
};
ArchivePlace place_of(const std::string& directory, const std::string& stem, Timestamp start);

// Why a file was not moved.
struct NotMoved {
  enum class Why {
    stopped,   // it was asked to stop
    held,      // it is pinned by now, or waits for --on-seal
    gone,      // it was removed meanwhile, or another one has its name
    original,  // it cannot be read or removed, or was changed meanwhile
    taken,     // the archive has another file of its name
    archive,   // the archive cannot take it
  };
  Why why;
  storage::IoError error;  // not of `stopped`
};

// Moves sealed files with their sidecars from drives into archives. In this order, so that a crash leaves the original,
// or both, and the next move of the file goes on from there:
//   1. of the file, then of each sidecar: a copy under a hidden name, synced piece by piece; read back from the archive
//      and compared with the checksums of what was read; named, its time of modification set, synced with its directory
//   2. in the turn of the original's directory: STEM-<start>.archived.json names the place, so that readers find it;
//      then the original goes, unless it is held by now: then the copies go
// Neither side's page cache is filled. A reader that finds both takes the original. One thread.
class Mover {
 public:
  // `go_on` is asked before each piece (4 MiB): it may wait; false ends the move, and the copy is gone.
  explicit Mover(std::function<bool()> go_on);

  // `shelf`: of the directory where the file is. `archive`: an absolute path.
  std::expected<void, NotMoved> move(Shelf& shelf, const ShelfFile& file, const std::string& archive);

 private:
  using Done = std::expected<void, NotMoved>;
  Done copy(const storage::Directory& from, const std::string& name, const storage::Directory& to);
  Done copy_all(const storage::Directory& from, const ShelfFile& file, const storage::Directory& to);
  Done read_back(const storage::Directory& to, const std::string& hidden, std::uint64_t bytes);
  Done let_go(Shelf& shelf, const ShelfFile& file, const storage::Directory& place);
  std::span<std::byte> piece() { return {memory_.get(), piece_bytes}; }

  static constexpr std::size_t piece_bytes = 4 << 20;
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::function<bool()> go_on_;
  std::unique_ptr<std::byte[], Free> memory_;
  std::vector<std::string> put_;     // names that this move has put into the archive
  std::set<std::string> swept_;      // places that were looked through for what a crash left
  std::vector<std::uint32_t> sums_;  // CRC-32C of each piece of the file that is copied
};

}  // namespace wirespool::keep

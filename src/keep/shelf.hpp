// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "format/file_name.hpp"
#include "storage/directory.hpp"
#include "storage/io_error.hpp"
#include "storage/named_file.hpp"
#include "wirespool/error.hpp"
#include "wirespool/spool.hpp"

namespace wirespool::keep {

// Why a file does not go, whatever the limits say.
enum class Hold {
  none,
  pinned,       // something is called FILE.keep
  on_seal,      // --on-seal has not succeeded for it yet
  age_unknown,  // it has no index that is its own: nobody knows how old its packets are
  other_names,  // a hard link: to take one name away wins nothing, and the file may be somebody else's
};
inline constexpr std::size_t holds = 5;
std::string to_string(Hold hold);  // "pinned", "waiting for --on-seal", ...

// A sealed file with what stands beside it.
struct ShelfFile {
  std::string name;
  std::string stem = {};
  storage::FileIdentity identity = {};
  std::uint64_t room_bytes = 0;  // that it and its sidecars take
  std::uint64_t packets = 0, bytes = 0;
  Timestamp first = {};    // its first packet, by its name if it has no index
  Timestamp last = {};     // its last packet; zero: not known
  Timestamp capture = {};  // when its capture began; zero: not known
  Hold hold = Hold::none;
};

// The files of hidden names in a directory, by name: open, or left by a crash. An Error if it cannot be listed.
struct HiddenFile {
  std::string name;
  format::FileName parts;  // with the capture's start for its time
};
std::expected<std::vector<HiddenFile>, Error> hidden_files(const std::string& directory);

// What belongs to a sealed file and goes where it goes: its index, what `repair` cut off. What pins it or waits for
// --on-seal is none of these: with it, the file stays.
std::array<std::string, 2> sidecars_of(const std::string& pcap);

// What a capture knows of a file that it sealed, index or not.
struct SealedFacts {
  Timestamp last;
  std::uint64_t packets = 0, bytes = 0;
};

// The sealed files of one directory, to be kept or taken away. Only what has a name of a sealed file and is a regular
// file stands on it: nothing is followed, and nothing that is open is here. One thread at a time.
class Shelf {
 public:
  // `stem`: only files of that name; empty: of any. The directory outlives it.
  Shelf(const storage::Directory& directory, std::string stem);

  const storage::Directory& directory() const { return *directory_; }
  bool takes(const std::string& stem) const { return stem_.empty() || stem == stem_; }
  void know(const std::string& name, const SealedFacts& facts);  // until it is gone

  // All there are now, by name. An Error also if the directory's path leads elsewhere by now.
  std::expected<std::vector<ShelfFile>, Error> look();
  const std::vector<SpoolCapture>& captures() const { return spool_->captures(); }  // as look() found them

  // The file, then its sidecars. EBUSY: it is held since; ENOENT: it is gone, or another one has its name. Whoever
  // calls it has the directory's turn, and syncs the directory.
  std::expected<void, storage::IoError> remove(const ShelfFile& file);

 private:
  std::optional<ShelfFile> shelved(const SpoolEntry& entry) const;
  Hold hold_of(const std::string& name, const storage::NamedFile& file, const SealedFacts& facts) const;

  const storage::Directory* directory_;
  std::string stem_;
  std::optional<Spool> spool_;
  std::map<std::string, SealedFacts> known_;
};

}  // namespace wirespool::keep

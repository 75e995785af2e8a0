// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "keep/shelf.hpp"
#include "policy/retention.hpp"
#include "storage/directory.hpp"
#include "wirespool/error.hpp"

namespace wirespool::keep {

// One file that went, or would go.
struct RemovedFile {
  const storage::Directory* directory = nullptr;
  ShelfFile file;
  policy::RetainReason why = policy::RetainReason::age;
};

// What one look came to.
struct RetainPass {
  std::vector<RemovedFile> removed;
  struct Held {
    std::uint64_t files = 0, bytes = 0;
  };
  std::array<Held, holds> held;             // what does not go, by Hold
  std::vector<Held> left;                   // of each directory, what may go and stays
  Timestamp oldest;                         // last packet of the oldest of them; zero: there is none
  Timestamp first{UINT64_MAX};              // first packet of what stays of the capture that runs; UINT64_MAX: nothing
  std::uint64_t missing_bytes = 0;          // of --retain-free: there is nothing left that may go
  std::vector<std::string> of_unknown_age;  // their names, with the directory
  std::vector<std::string> problems = {};   // what could not be done, a line each
};

// The files of several directories on one file system against limits. The same for a capture that runs and for
// `wirespool retain`. One thread at a time.
class Retainer {
 public:
  // `stem`: see Shelf. `running`: the start of the capture that asks; zero: none does. The directories outlive it.
  Retainer(const std::vector<const storage::Directory*>& directories, const std::string& stem,
           policy::RetainLimits limits, Timestamp running);

  Shelf& shelf(std::size_t i) { return shelves_[i]; }

  // Looks and takes away what the limits have no room for, oldest first; `told` hears of each file that went. Whose
  // turn it is elsewhere is waited for or not; then, and if a directory cannot be read, there is an Error and nothing
  // was done.
  enum class Mode { remove, dry_run };
  using Told = std::function<void(const storage::Directory&, const std::string& pcap)>;
  std::expected<RetainPass, Error> pass(Timestamp now, Mode mode, storage::Directory::Turn turn, const Told& told);

 private:
  struct Listing {
    std::vector<ShelfFile> files;
    std::vector<unsigned> drives;  // of each file
  };
  std::expected<Listing, Error> list();
  RetainPass survey(const Listing& listing, const std::vector<policy::Going>& going, policy::Space space) const;
  void remove(const Listing& listing, const std::vector<policy::Going>& going, const Told& told, RetainPass& pass);
  void tidy(RetainPass& pass);

  std::vector<Shelf> shelves_;
  policy::RetainLimits limits_;
  Timestamp running_;
};

}  // namespace wirespool::keep

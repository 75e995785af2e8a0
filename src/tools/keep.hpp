// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "format/retention_files.hpp"
#include "wirespool/error.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::tools {

// `wirespool keep DIR...`
struct KeepOptions {
  std::vector<std::string> directories = {};
  std::optional<Timestamp> from = {}, to = {};  // `to` not included
  std::string filter = {};                      // pcap-filter(7); empty: any packet
  std::string reason = {};
  std::string who = {};  // for whom; empty: this process's user, on this machine
  bool list = false;
  bool release = false;
  std::string only = {};  // of what is released: the file of this name, without a directory; empty: any
  const std::atomic<bool>* stop =
      nullptr;  // set: no more files are looked into, and those of that directory not pinned
};

struct PinnedFile {
  enum class Outcome { pinned, was_pinned, released, listed, gone };
  std::string path;
  Outcome outcome = Outcome::pinned;
  std::optional<format::Pin> pin = {};  // what FILE.keep says; nullopt: anything else has that name
};

struct KeepReport {
  std::vector<PinnedFile> files;
  std::uint64_t looked_at = 0;        // files
  std::vector<std::string> notices;   // what may be missing
  std::vector<std::string> problems;  // what could not be done

  bool complete() const { return problems.empty(); }
};

// Pins the sealed files that hold packets of a time that match a filter: a FILE.keep beside each, which retention
// respects and any other program can see. Also lists pins, or removes them. A file that cannot be read or has no index
// is pinned if it may hold such packets.
std::expected<KeepReport, Error> keep(const KeepOptions& options);

// Where pins of these output directories stand: they themselves, and the archives to which files of theirs were moved.
std::expected<std::vector<std::string>, Error> places_of_pins(const std::vector<std::string>& directories);

std::string render_table(const KeepReport& report);
std::string render_json(const KeepReport& report);

}  // namespace wirespool::tools

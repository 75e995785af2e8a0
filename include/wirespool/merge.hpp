// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "wirespool/error.hpp"
#include "wirespool/query.hpp"
#include "wirespool/spool.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool {

// The packets of many files that a Query asks for, in order of time: an input range, for a single pass.
//
//   Merge merge(*spool, query);
//   for (const StoredPacket& packet : merge) ...
//   if (const auto outcome = merge.outcome(); !outcome) ...  // some of them could not be read: outcome.error()
//
// A file that cannot be read does not keep the others from being read, so a packet is no std::expected: ask once, at
// the end, what is missing.
//
// Files are opened when their time has come and closed when they are done, so that thousands of them take no more than
// the few that overlap. Packets of the same time keep the order of their file, and those of one writer's files the
// order in which they were written.
//
// It keeps copies of all that it is made from: neither Spool nor Query nor Filter need outlive it. It reads the files
// that the Spool knew when it was made; Spool::refresh() does not affect it, and a file that is removed before its turn
// is one of the problems(). Movable; used by one thread at a time.
class Merge {
 public:
  explicit Merge(const Spool& spool, Query query = {});
  // Of these files only, for example those that Spool::refresh() found. Packets of the same time come in the order of
  // the files.
  explicit Merge(std::vector<SpoolEntry> files, Query query = {});
  Merge(Merge&&) noexcept;
  Merge& operator=(Merge&&) noexcept;
  ~Merge();

  class Iterator;
  // Takes the next packet: a second loop goes on after the packet at which the first one stopped. A packet is valid
  // until the next one is taken.
  Iterator begin();
  static std::default_sentinel_t end() { return std::default_sentinel; }

  // The same without an iterator: the next packet, or nullptr at the end.
  const StoredPacket* next();
  // The packet that next() has just given and those after it in the same file, at most `packets`, for callers that take
  // many at once. Empty if the file is no SpoolFile or the Query has a filter.
  PacketRun run(std::uint64_t packets);

  // Whether everything up to here could be read; at the end: everything that was asked for. The Error is the first of
  // problems(), and says how many more there are.
  [[nodiscard]] std::expected<void, Error> outcome() const;
  // Files that could not be read, or not to their end, and link types that the filter does not support.
  const std::vector<Error>& problems() const&;
  const std::vector<Error>& problems() const&& = delete;  // it would dangle
  // Indices that were not used, each once, and other troubles by which no packet was lost.
  const std::vector<std::string>& notices() const&;
  const std::vector<std::string>& notices() const&& = delete;

  struct Progress {
    std::uint64_t bytes_in_all = 0;  // of all files
    std::uint64_t bytes_read = 0;
    std::uint64_t bytes_left_out = 0;  // known from an index not to matter
    std::uint64_t files_opened = 0;
    std::uint64_t most_files_at_once = 0;
  };
  Progress progress() const;

 private:
  class Heap;
  std::unique_ptr<Heap> heap_;
};

// An input iterator over a Merge, which stays where it is when that is moved.
class Merge::Iterator {
 public:
  using iterator_concept = std::input_iterator_tag;
  using value_type = StoredPacket;
  using difference_type = std::ptrdiff_t;

  const StoredPacket& operator*() const { return *packet_; }
  const StoredPacket* operator->() const { return packet_; }
  Iterator& operator++();
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& at, std::default_sentinel_t) { return at.packet_ == nullptr; }

 private:
  friend class Merge;
  Iterator(Heap* heap, const StoredPacket* packet) : heap_(heap), packet_(packet) {}
  Heap* heap_;
  const StoredPacket* packet_;
};

}  // namespace wirespool

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "wirespool/follow.hpp"
#include "wirespool/merge.hpp"

namespace wirespool::read {

// One file on its way through the merge.
struct MergeLane {
  MergeLane(SpoolEntry the_entry, std::size_t the_order) : entry(std::move(the_entry)), order(the_order) {}

  SpoolEntry entry;
  std::size_t order;              // among files, for packets of the same time
  std::uint64_t turn = 0;         // when a packet was taken from it last
  std::optional<SpoolFile> file;  // once its turn has come
  bool keeps_descriptor = false;
  Timestamp latest;         // of what was read from it
  bool told_order = false;  // reported that its times go back
  const StoredPacket* head = nullptr;

  // Of a file that is being written.
  bool grows = false;          // more of it may come: when it is dry it waits outside of the heap
  bool dry = false;            // it waits
  bool holds = false;          // while it waits, nothing is given that is later than what was read from it
  std::uint64_t begin_at = 0;  // records that end up to there are passed over
};

// A k-way merge over a binary heap. The lane on top is advanced in place, so a run of packets from one file costs two
// comparisons a packet. Files may come, and those that are being written may grow, while it runs. One thread.
class MergeHeap {
 public:
  using Progress = Merge::Progress;

  MergeHeap(std::vector<SpoolEntry> files, Query query);

  // The next packet that is not later than `until`; nullptr: there is none now.
  const StoredPacket* next();
  PacketRun run(std::uint64_t packets);
  Progress progress() const { return progress_; }

  // One more file. Of one that is being written (entry.open), as much as is in it by now (entry.file_bytes);
  // add_open(): and may come, but only records that end behind `begin_at`, looked for from `record_at` on. Nothing is
  // in the merge before the first grow().
  void add(SpoolEntry entry);
  // The lane is there until it is said to be whole.
  MergeLane& add_open(SpoolEntry entry, std::uint64_t begin_at = 0, std::uint64_t record_at = 0);
  // It has grown to so many bytes. `whole`: no more of it will come; the lane goes when it has been read.
  void grow(MergeLane& lane, std::uint64_t bytes, bool whole);

  Timestamp until{std::numeric_limits<std::uint64_t>::max()};
  std::vector<Error> problems;
  std::vector<std::string> notices;

  // If set, files that are gone before their turn are no problem, and are counted here.
  std::optional<Follow::Missed> missed;

 private:
  struct Place;
  static bool before(const Place& a, const Place& b);
  static bool after(const Place& a, const Place& b);
  void go_on_from_taken();
  static std::size_t most_at_once(const std::vector<Place>& places, const Query& query);

  void put(Timestamp time, MergeLane& lane);
  bool trusts_index(const SpoolEntry& entry);
  std::optional<Timestamp> first_time(const SpoolEntry& entry);
  void cannot_open(const SpoolEntry& entry, const Error& error);
  bool open(MergeLane& lane);
  bool advance(MergeLane& lane);
  bool stopped() const { return query_.stop && query_.stop->load(std::memory_order_relaxed); }
  void look_at_order(MergeLane& lane);
  bool wanted(const MergeLane& lane, const StoredPacket& packet);
  void look_at_linktype(std::uint32_t linktype);
  Timestamp next_of_others() const;
  void settle_top();
  void drop_top();
  void end(MergeLane& lane);
  void tell_passed_over(const MergeLane& lane);

  // Where a lane stands: the time of its next packet or, until it is opened, a time before which it has none.
  struct Place {
    Timestamp time;
    MergeLane* lane = nullptr;
  };

  Query query_;
  std::optional<std::uint32_t> linktype_;  // of the last packet the filter saw
  std::set<std::uint32_t> linktypes_;      // of all packets it saw
  std::vector<std::unique_ptr<MergeLane>> lanes_;
  std::vector<Place> heap_;
  bool top_taken_ = false;
  std::size_t order_ = 0;  // of the next lane
  std::uint64_t turns_ = 0;
  std::uint64_t records_ = 0;  // looked at
  std::size_t buffer_bytes_;
  std::size_t most_kept_open_;
  std::size_t kept_open_ = 0;
  std::size_t open_now_ = 0;
  Progress progress_;
};

}  // namespace wirespool::read

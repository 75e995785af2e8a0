// SPDX-License-Identifier: BSD-3-Clause
#include "read/merge_heap.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "read/archived_files.hpp"
#include "read/index_store.hpp"
#include "read/live_captures.hpp"
#include "storage/file_descriptor.hpp"

namespace wirespool::read {

namespace {

constexpr std::size_t smallest_buffer = 16 << 10;
// Fits into a CPU's own cache, so that what was read is written out from there.
constexpr std::size_t largest_buffer = 128 << 10;
constexpr std::uint64_t records_between_looks = 1024;  // at Query::stop
// Most files that keep a descriptor each, and how many descriptors are left for others meanwhile.
constexpr std::size_t most_descriptors = 256;
constexpr std::size_t descriptors_left = 6;

std::size_t affordable_descriptors() {
  const auto free = storage::free_descriptors();
  return std::min(most_descriptors, free - std::min(free, descriptors_left));
}

}  // namespace

// At equal times, the lane that gave the last packet goes on. The Blocks of one writer follow each other over its
// files: the lane's Block is not done yet, and the others' came before it or come after it.
bool MergeHeap::before(const Place& a, const Place& b) {
  if (a.time != b.time) return a.time < b.time;
  if (a.lane->turn != b.lane->turn) return a.lane->turn > b.lane->turn;
  return a.lane->order < b.lane->order;
}

bool MergeHeap::after(const Place& a, const Place& b) { return before(b, a); }

// The largest number of lanes that have packets of the same time.
std::size_t MergeHeap::most_at_once(const std::vector<Place>& places, const Query& query) {
  std::vector<std::pair<Timestamp, int>> changes;
  for (const auto& place : places) {
    const auto& entry = place.lane->entry;
    changes.emplace_back(place.time, 1);
    if (entry.index != SpoolEntry::Index::none)
      changes.emplace_back(std::max(place.time, std::min(entry.last, query.to)), -1);
  }
  // A file that begins when another ends is open at the same time.
  std::ranges::sort(changes, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second > b.second;
  });
  std::size_t now = 0, most = 1;
  for (const auto& [time, change] : changes) {
    now = change > 0 ? now + 1 : now - 1;
    most = std::max(most, now);
  }
  return most;
}

MergeHeap::MergeHeap(std::vector<SpoolEntry> files, Query query)
    : query_(std::move(query)), buffer_bytes_(largest_buffer), most_kept_open_(affordable_descriptors()) {
  for (auto& entry : files) {
    if (!stopped()) add(std::move(entry));
  }
  const auto most = most_at_once(heap_, query_);
  buffer_bytes_ = std::clamp(query_.buffer_bytes / most, smallest_buffer, largest_buffer);
}

// A file that was copied or moved since its index was made must at least begin when the index says. More of it is
// compared when Blocks are chosen.
bool MergeHeap::trusts_index(const SpoolEntry& entry) {
  if (!query_.use_index || entry.index == SpoolEntry::Index::none) return false;
  if (entry.index_untouched || entry.packets == 0) return true;
  const auto told = problems.size();  // what cannot be read, or is gone, is reported when it is read
  const auto gone = missed;
  const auto first = entry.ordered ? first_time(entry) : std::nullopt;
  problems.resize(told);
  missed = gone;
  if (first && *first == entry.first) return true;
  notices.push_back("an index is not used: " + entry.path + ": the file begins otherwise than the index says");
  return false;
}

void MergeHeap::put(Timestamp time, MergeLane& lane) {
  heap_.push_back({std::max(time, query_.from), &lane});
  std::ranges::push_heap(heap_, after);
}

void MergeHeap::add(SpoolEntry entry) {
  if (entry.open) {
    auto& lane = add_open(std::move(entry));
    grow(lane, lane.entry.file_bytes, true);
    return;
  }
  go_on_from_taken();
  progress_.bytes_in_all += entry.file_bytes;
  const bool known = trusts_index(entry);
  if (!known) entry.index = SpoolEntry::Index::none;
  if (!known) entry.ordered = false;
  const bool apart = known && (entry.packets == 0 || entry.last < query_.from || entry.first >= query_.to);
  const auto first = apart ? std::nullopt : known ? std::optional(entry.first) : first_time(entry);
  if (!first) {
    progress_.bytes_left_out += entry.file_bytes;
    return;
  }
  lanes_.push_back(std::make_unique<MergeLane>(std::move(entry), order_++));
  put(*first, *lanes_.back());
}

// It is opened at once: it gets another name when it is sealed.
MergeLane& MergeHeap::add_open(SpoolEntry entry, std::uint64_t begin_at, std::uint64_t record_at) {
  progress_.bytes_in_all += entry.file_bytes;
  lanes_.push_back(std::make_unique<MergeLane>(std::move(entry), order_++));
  auto& lane = *lanes_.back();
  lane.grows = lane.dry = true;
  lane.begin_at = begin_at;
  SpoolFile::Options options{SpoolFile::Mode::strict, buffer_bytes_, true, {}, lane.entry.file_bytes};
  if (record_at > 0) options.stretches = {{record_at, lane.entry.file_bytes}};
  auto file = SpoolFile::open(lane.entry.path, options);
  if (!file) {  // sealed meanwhile
    lane.entry.path = path_of_open_file(lane.entry.directory, lane.entry.path, lane.entry.inode);
    file = SpoolFile::open(lane.entry.path, std::move(options));
  }
  if (!file) {
    cannot_open(lane.entry, file.error());
    return lane;
  }
  lane.file = std::move(*file);
  ++progress_.files_opened;
  progress_.most_files_at_once = std::max(progress_.most_files_at_once, std::uint64_t{++open_now_});
  return lane;
}

void MergeHeap::grow(MergeLane& lane, std::uint64_t bytes, bool whole) {
  go_on_from_taken();
  progress_.bytes_in_all += bytes - std::min(bytes, lane.entry.file_bytes);
  lane.entry.file_bytes = std::max(bytes, lane.entry.file_bytes);
  if (lane.file) lane.file->extend(bytes);
  if (whole) lane.grows = false;
  if (!lane.dry) return;
  if (lane.file && advance(lane)) {
    lane.dry = false;
    put(lane.head->view.time, lane);
  } else if (whole) {
    end(lane);
  }
}

// For a taken packet's lane, before the heap changes.
void MergeHeap::go_on_from_taken() {
  if (!std::exchange(top_taken_, false)) return;
  advance(*heap_.front().lane) ? settle_top() : drop_top();
}

// A file that is gone before its turn.
void MergeHeap::cannot_open(const SpoolEntry& entry, const Error& error) {
  std::error_code unknown;
  if (!missed || std::filesystem::exists(entry.path, unknown)) {
    problems.push_back(error);
    return;
  }
  missed->files += 1;
  missed->bytes += entry.file_bytes;
}

// For a file without an index: looks at its first record. nullopt: it has none.
std::optional<Timestamp> MergeHeap::first_time(const SpoolEntry& entry) {
  auto file = SpoolFile::open(path_now(entry), {SpoolFile::Mode::strict, 4096, false, {}});
  if (!file) {
    cannot_open(entry, file.error());
    return std::nullopt;
  }
  if (const auto* packet = file->next()) return packet->view.time;
  if (file->problem()) problems.push_back(*file->problem());
  return std::nullopt;
}

const StoredPacket* MergeHeap::next() {
  go_on_from_taken();
  while (!heap_.empty() && heap_.front().time <= until && !stopped()) {
    auto& lane = *heap_.front().lane;
    if (lane.file) {
      lane.turn = ++turns_;
      top_taken_ = true;
      return lane.head;
    }
    open(lane) && advance(lane) ? settle_top() : drop_top();
  }
  return nullptr;
}

// The file on top goes on as long as no other has an earlier packet; at equal times it is still its turn (before()).
PacketRun MergeHeap::run(std::uint64_t packets) {
  if (!top_taken_ || query_.filter) return {};
  const auto latest = std::min({next_of_others(), Timestamp{query_.to.ns - 1}, until});
  auto& lane = *heap_.front().lane;
  const auto run = lane.file->run({query_.from, latest, packets});
  lane.latest = std::max(lane.latest, run.last);
  if (run.packets > 1) progress_.bytes_read += run.records.size() - lane.head->record.size();
  return run;
}

// In a heap, the second smallest is one of the two below the top.
Timestamp MergeHeap::next_of_others() const {
  auto time = Timestamp{std::numeric_limits<std::uint64_t>::max()};
  for (std::size_t i = 1; i < std::min<std::size_t>(3, heap_.size()); ++i) time = std::min(time, heap_[i].time);
  return time;
}

bool MergeHeap::open(MergeLane& lane) {
  lane.entry.path = read::path_now(lane.entry);
  const bool keep_open = kept_open_ < most_kept_open_;
  SpoolFile::Options options{SpoolFile::Mode::strict, buffer_bytes_, keep_open, {}};
  if (read::index_can_help(lane.entry, query_)) {
    auto blocks = read::select_blocks(lane.entry, query_);
    if (blocks && blocks->stretches.empty()) {
      progress_.bytes_left_out += lane.entry.file_bytes;
      return false;
    }
    if (blocks) {
      options.stretches = std::move(blocks->stretches);
    } else {
      notices.push_back("an index is not used: " + blocks.error());
    }
  }
  std::uint64_t bytes = options.stretches.empty() ? lane.entry.file_bytes : 0;
  for (const auto& stretch : options.stretches) bytes += stretch.end - stretch.begin;
  auto file = SpoolFile::open(lane.entry.path, std::move(options));
  if (!file) {
    cannot_open(lane.entry, file.error());
    return false;
  }
  lane.file = std::move(*file);
  lane.keeps_descriptor = keep_open;
  kept_open_ += keep_open ? 1 : 0;
  progress_.bytes_left_out += lane.entry.file_bytes - std::min(bytes, lane.entry.file_bytes);
  ++progress_.files_opened;
  progress_.most_files_at_once = std::max(progress_.most_files_at_once, std::uint64_t{++open_now_});
  return true;
}

bool MergeHeap::wanted(const MergeLane& lane, const StoredPacket& packet) {
  if (packet.offset + packet.record.size() <= lane.begin_at) return false;
  if (packet.view.time < query_.from || packet.view.time >= query_.to) return false;
  if (!query_.filter) return true;
  if (packet.linktype != linktype_) look_at_linktype(packet.linktype);
  return query_.filter->matches(packet);
}

// A link type that the filter does not support is reported once.
void MergeHeap::look_at_linktype(std::uint32_t linktype) {
  linktype_ = linktype;
  if (!linktypes_.insert(linktype).second) return;
  auto supported = query_.filter->supports(linktype);
  if (supported) return;
  auto& error = supported.error();
  error.what = "the filter '" + error.what + "'";
  error.why = "packets were left out " + error.why;
  problems.push_back(std::move(error));
}

// The merge trusts each file to be in order of time. One that is not comes out as it is, and is reported.
void MergeHeap::look_at_order(MergeLane& lane) {
  const auto time = lane.head->view.time;
  if (time >= lane.latest) {
    lane.latest = time;
  } else if (!std::exchange(lane.told_order, true)) {
    notices.push_back(lane.entry.path + ": its packets are not in order of time, and so is what comes of them: " +
                      "`reordercap IN OUT` (Wireshark) sorts a file");
  }
}

// Goes to the next packet that is wanted. false: the file is done.
bool MergeHeap::advance(MergeLane& lane) {
  while ((lane.head = lane.file->next()) != nullptr) {
    progress_.bytes_read += lane.head->record.size();
    if (++records_ % records_between_looks == 0 && stopped()) return false;
    look_at_order(lane);
    if (wanted(lane, *lane.head)) return true;
    if (query_.use_index && lane.entry.ordered && lane.head->view.time >= query_.to) break;
  }
  if (lane.file->problem()) problems.push_back(*lane.file->problem());
  return false;
}

// Nothing of it is left, now or ever.
void MergeHeap::end(MergeLane& lane) {
  if (lane.file) tell_passed_over(lane);
  if (lane.file) --open_now_;
  if (lane.file && lane.keeps_descriptor) --kept_open_;
  std::erase_if(lanes_, [&lane](const auto& other) { return other.get() == &lane; });
}

// Restores the heap after the top's time has changed.
void MergeHeap::settle_top() {
  heap_.front().time = heap_.front().lane->head->view.time;
  std::size_t at = 0;
  const auto top = heap_.front();
  while (true) {
    auto child = 2 * at + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], top)) break;
    heap_[at] = heap_[child];
    at = child;
  }
  heap_[at] = top;
}

void MergeHeap::tell_passed_over(const MergeLane& lane) {
  std::string kinds;
  for (const auto& kind : lane.file->passed_over()) kinds += (kinds.empty() ? "" : ", ") + kind;
  if (!kinds.empty()) notices.push_back(lane.entry.path + ": only its packets are taken over, without its " + kinds);
}

void MergeHeap::drop_top() {
  auto& lane = *heap_.front().lane;
  std::ranges::pop_heap(heap_, after);
  heap_.pop_back();
  if (!lane.grows) return end(lane);
  lane.dry = true;
  if (lane.holds) until = std::min(until, lane.latest);
}

}  // namespace wirespool::read

// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "spool/block_selection.hpp"
#include "wirespool/query.hpp"

namespace wirespool {

namespace {

constexpr std::size_t smallest_buffer = 16 << 10;
// Fits into a CPU's own cache, where what was read is written from.
constexpr std::size_t largest_buffer = 128 << 10;
// Most files that keep a descriptor each; POSIX promises few more (getrlimit(2), RLIMIT_NOFILE is often 1024).
constexpr std::size_t most_descriptors = 256;

// One file on its way through the merge.
struct Lane {
  Lane(const SpoolEntry& the_entry, std::size_t the_order) : entry(&the_entry), order(the_order) {}

  const SpoolEntry* entry;
  std::size_t order;              // among files, for packets of one time
  std::uint64_t turn = 0;         // when a packet was taken from it last
  std::optional<SpoolFile> file;  // from when its time has come
  const StoredPacket* head = nullptr;
};

// Where a lane stands: the time of its next packet, or, not opened yet, one before which it has none.
struct Place {
  Timestamp time;
  Lane* lane = nullptr;
};

// Of one time, the lane goes on from which a packet came last: the Blocks of one writer follow each other over its
// files, so that one is not done yet and the others had their turn before or come later.
bool before(const Place& a, const Place& b) {
  if (a.time != b.time) return a.time < b.time;
  if (a.lane->turn != b.lane->turn) return a.lane->turn > b.lane->turn;
  return a.lane->order < b.lane->order;
}

// The most files of `entries` that have packets at one time.
std::size_t most_at_once(const std::vector<Place>& places, const Query& query) {
  std::vector<std::pair<Timestamp, int>> changes;
  for (const auto& place : places) {
    const auto& entry = *place.lane->entry;
    changes.emplace_back(place.time, 1);
    if (entry.index != SpoolEntry::Index::none)
      changes.emplace_back(std::max(place.time, std::min(entry.last, query.to)), -1);
  }
  // A file that begins when another ends is open while that one is.
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

}  // namespace

// A k-way merge over a binary heap. The lane on top is advanced in place, so a run of packets from one file costs two
// comparisons a packet.
class PacketStream::Merge {
 public:
  Merge(const Spool& spool, Query query);

  const StoredPacket* next();
  PacketRun run(std::uint64_t packets);
  Progress progress() const;

  std::vector<Error> problems;
  std::vector<std::string> notices;

 private:
  void add(const SpoolEntry& entry);
  std::optional<Timestamp> first_time(const SpoolEntry& entry);
  bool open(Lane& lane);
  bool advance(Lane& lane);
  bool wanted(const StoredPacket& packet) const;
  Timestamp next_of_others() const;
  void settle_top();
  void drop_top();

  Query query_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Place> heap_;
  bool top_taken_ = false;
  std::uint64_t turns_ = 0;
  std::size_t buffer_bytes_ = largest_buffer;
  bool keep_open_ = true;
  std::size_t open_now_ = 0;
  Progress progress_;
};

PacketStream::Merge::Merge(const Spool& spool, Query query) : query_(std::move(query)) {
  for (const auto& entry : spool.files()) add(entry);
  std::ranges::make_heap(heap_, [](const Place& a, const Place& b) { return before(b, a); });
  const auto most = most_at_once(heap_, query_);
  buffer_bytes_ = std::clamp(query_.buffer_bytes / most, smallest_buffer, largest_buffer);
  keep_open_ = most <= most_descriptors;
}

void PacketStream::Merge::add(const SpoolEntry& entry) {
  progress_.bytes_in_all += entry.file_bytes;
  const bool known = query_.use_index && entry.index != SpoolEntry::Index::none;
  const bool apart = known && (entry.packets == 0 || entry.last < query_.from || entry.first >= query_.to);
  const auto first = apart ? std::nullopt : known ? std::optional(entry.first) : first_time(entry);
  if (!first) {
    progress_.bytes_left_out += entry.file_bytes;
    return;
  }
  lanes_.push_back(std::make_unique<Lane>(entry, lanes_.size()));
  heap_.push_back({std::max(*first, query_.from), lanes_.back().get()});
}

// Of a file without an index: its first record has to be looked at. nullopt: it has none.
std::optional<Timestamp> PacketStream::Merge::first_time(const SpoolEntry& entry) {
  auto file = SpoolFile::open(entry.path, {SpoolFile::Mode::strict, 4096, false, {}});
  if (!file) {
    problems.push_back(file.error());
    return std::nullopt;
  }
  if (const auto* packet = file->next()) return packet->view.time;
  if (file->problem()) problems.push_back(*file->problem());
  return std::nullopt;
}

const StoredPacket* PacketStream::Merge::next() {
  if (top_taken_) {
    top_taken_ = false;
    advance(*heap_.front().lane) ? settle_top() : drop_top();
  }
  while (!heap_.empty()) {
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

// The file on top goes on while none of the others has an earlier packet: of one time, it is its turn (before()).
PacketRun PacketStream::Merge::run(std::uint64_t packets) {
  if (!top_taken_ || query_.matches) return {};
  const auto latest = std::min(next_of_others(), Timestamp{query_.to.ns - 1});
  const auto run = heap_.front().lane->file->run({query_.from, latest, packets});
  if (run.packets > 1) progress_.bytes_read += run.records.size() - heap_.front().lane->head->record.size();
  return run;
}

// In a heap, the second of all is one of the two below the first.
Timestamp PacketStream::Merge::next_of_others() const {
  auto time = Timestamp{std::numeric_limits<std::uint64_t>::max()};
  for (std::size_t i = 1; i < std::min<std::size_t>(3, heap_.size()); ++i) time = std::min(time, heap_[i].time);
  return time;
}

bool PacketStream::Merge::open(Lane& lane) {
  SpoolFile::Options options{SpoolFile::Mode::strict, buffer_bytes_, keep_open_, {}};
  if (spool::index_can_help(*lane.entry, query_)) {
    auto blocks = spool::select_blocks(*lane.entry, query_);
    if (blocks && blocks->empty()) {
      progress_.bytes_left_out += lane.entry->file_bytes;
      return false;
    }
    if (blocks) {
      options.stretches = std::move(*blocks);
    } else {
      notices.push_back("an index is not used: " + blocks.error());
    }
  }
  std::uint64_t bytes = options.stretches.empty() ? lane.entry->file_bytes : 0;
  for (const auto& stretch : options.stretches) bytes += stretch.end - stretch.begin;
  auto file = SpoolFile::open(lane.entry->path, std::move(options));
  if (!file) {
    problems.push_back(file.error());
    return false;
  }
  lane.file = std::move(*file);
  progress_.bytes_left_out += lane.entry->file_bytes - std::min(bytes, lane.entry->file_bytes);
  ++progress_.files_opened;
  progress_.most_files_at_once = std::max(progress_.most_files_at_once, std::uint64_t{++open_now_});
  return true;
}

bool PacketStream::Merge::wanted(const StoredPacket& packet) const {
  if (packet.view.time < query_.from || packet.view.time >= query_.to) return false;
  return !query_.matches || query_.matches(packet);
}

// To the next packet that is wanted. false: the file is done.
bool PacketStream::Merge::advance(Lane& lane) {
  while ((lane.head = lane.file->next()) != nullptr) {
    progress_.bytes_read += lane.head->record.size();
    if (wanted(*lane.head)) return true;
    if (query_.use_index && lane.entry->ordered && lane.head->view.time >= query_.to) break;
  }
  if (lane.file->problem()) problems.push_back(*lane.file->problem());
  return false;
}

// After the top's time has changed.
void PacketStream::Merge::settle_top() {
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

void PacketStream::Merge::drop_top() {
  auto& lane = *heap_.front().lane;
  if (lane.file) --open_now_;
  lane.file.reset();
  std::ranges::pop_heap(heap_, [](const Place& a, const Place& b) { return before(b, a); });
  heap_.pop_back();
}

PacketStream::Progress PacketStream::Merge::progress() const { return progress_; }

PacketStream::PacketStream(const Spool& spool, Query query)
    : merge_(std::make_unique<Merge>(spool, std::move(query))) {}
PacketStream::PacketStream(PacketStream&&) noexcept = default;
PacketStream& PacketStream::operator=(PacketStream&&) noexcept = default;
PacketStream::~PacketStream() = default;

const StoredPacket* PacketStream::next() { return merge_->next(); }
PacketRun PacketStream::run(std::uint64_t packets) { return merge_->run(packets); }
const std::vector<Error>& PacketStream::problems() const { return merge_->problems; }
const std::vector<std::string>& PacketStream::notices() const { return merge_->notices; }
PacketStream::Progress PacketStream::progress() const { return merge_->progress(); }

}  // namespace wirespool

// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "read/archived_files.hpp"
#include "read/index_store.hpp"
#include "storage/file_descriptor.hpp"
#include "wirespool/merge.hpp"

namespace wirespool {

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

// One file on its way through the merge.
struct Lane {
  Lane(SpoolEntry the_entry, std::size_t the_order) : entry(std::move(the_entry)), order(the_order) {}

  SpoolEntry entry;
  std::size_t order;              // among files, for packets of the same time
  std::uint64_t turn = 0;         // when a packet was taken from it last
  std::optional<SpoolFile> file;  // once its turn has come
  bool keeps_descriptor = false;
  Timestamp latest;         // of what was read from it
  bool told_order = false;  // reported that its times go back
  const StoredPacket* head = nullptr;
};

// Where a lane stands: the time of its next packet or, until it is opened, a time before which it has none.
struct Place {
  Timestamp time;
  Lane* lane = nullptr;
};

// At equal times, the lane that gave the last packet goes on. The Blocks of one writer follow each other over its
// files: the lane's Block is not done yet, and the others' came before it or come after it.
bool before(const Place& a, const Place& b) {
  if (a.time != b.time) return a.time < b.time;
  if (a.lane->turn != b.lane->turn) return a.lane->turn > b.lane->turn;
  return a.lane->order < b.lane->order;
}

// The largest number of lanes that have packets of the same time.
std::size_t most_at_once(const std::vector<Place>& places, const Query& query) {
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

}  // namespace

// A k-way merge over a binary heap. The lane on top is advanced in place, so a run of packets from one file costs two
// comparisons a packet.
class Merge::Heap {
 public:
  Heap(std::vector<SpoolEntry> files, Query query);

  const StoredPacket* next();
  PacketRun run(std::uint64_t packets);
  Progress progress() const;

  std::vector<Error> problems;
  std::vector<std::string> notices;

 private:
  void add(SpoolEntry entry);
  bool trusts_index(const SpoolEntry& entry);
  std::optional<Timestamp> first_time(const SpoolEntry& entry);
  bool open(Lane& lane);
  bool advance(Lane& lane);
  bool stopped() const { return query_.stop && query_.stop->load(std::memory_order_relaxed); }
  void look_at_order(Lane& lane);
  bool wanted(const StoredPacket& packet);
  void look_at_linktype(std::uint32_t linktype);
  Timestamp next_of_others() const;
  void settle_top();
  void drop_top();
  void tell_passed_over(const Lane& lane);

  Query query_;
  std::optional<std::uint32_t> linktype_;  // of the last packet the filter saw
  std::set<std::uint32_t> linktypes_;      // of all packets it saw
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Place> heap_;
  bool top_taken_ = false;
  std::uint64_t turns_ = 0;
  std::uint64_t records_ = 0;  // looked at
  std::size_t buffer_bytes_ = largest_buffer;
  std::size_t most_kept_open_ = affordable_descriptors();
  std::size_t kept_open_ = 0;
  std::size_t open_now_ = 0;
  Progress progress_;
};

Merge::Heap::Heap(std::vector<SpoolEntry> files, Query query) : query_(std::move(query)) {
  for (auto& entry : files) {
    if (!stopped()) add(std::move(entry));
  }
  std::ranges::make_heap(heap_, [](const Place& a, const Place& b) { return before(b, a); });
  const auto most = most_at_once(heap_, query_);
  buffer_bytes_ = std::clamp(query_.buffer_bytes / most, smallest_buffer, largest_buffer);
}

// A file that was copied or moved since its index was made must at least begin when the index says. More of it is
// compared when Blocks are chosen.
bool Merge::Heap::trusts_index(const SpoolEntry& entry) {
  if (!query_.use_index || entry.index == SpoolEntry::Index::none) return false;
  if (entry.index_untouched || entry.packets == 0) return true;
  const auto told = problems.size();  // what cannot be read is reported when it is read
  const auto first = entry.ordered ? first_time(entry) : std::nullopt;
  problems.resize(told);
  if (first && *first == entry.first) return true;
  notices.push_back("an index is not used: " + entry.path + ": the file begins otherwise than the index says");
  return false;
}

void Merge::Heap::add(SpoolEntry entry) {
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
  lanes_.push_back(std::make_unique<Lane>(std::move(entry), lanes_.size()));
  heap_.push_back({std::max(*first, query_.from), lanes_.back().get()});
}

// For a file without an index: looks at its first record. nullopt: it has none.
std::optional<Timestamp> Merge::Heap::first_time(const SpoolEntry& entry) {
  auto file = SpoolFile::open(entry.path, {SpoolFile::Mode::strict, 4096, false, {}});
  if (!file) {
    problems.push_back(file.error());
    return std::nullopt;
  }
  if (const auto* packet = file->next()) return packet->view.time;
  if (file->problem()) problems.push_back(*file->problem());
  return std::nullopt;
}

const StoredPacket* Merge::Heap::next() {
  if (top_taken_) {
    top_taken_ = false;
    advance(*heap_.front().lane) ? settle_top() : drop_top();
  }
  while (!heap_.empty() && !stopped()) {
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
PacketRun Merge::Heap::run(std::uint64_t packets) {
  if (!top_taken_ || query_.filter) return {};
  const auto latest = std::min(next_of_others(), Timestamp{query_.to.ns - 1});
  auto& lane = *heap_.front().lane;
  const auto run = lane.file->run({query_.from, latest, packets});
  lane.latest = std::max(lane.latest, run.last);
  if (run.packets > 1) progress_.bytes_read += run.records.size() - lane.head->record.size();
  return run;
}

// In a heap, the second smallest is one of the two below the top.
Timestamp Merge::Heap::next_of_others() const {
  auto time = Timestamp{std::numeric_limits<std::uint64_t>::max()};
  for (std::size_t i = 1; i < std::min<std::size_t>(3, heap_.size()); ++i) time = std::min(time, heap_[i].time);
  return time;
}

bool Merge::Heap::open(Lane& lane) {
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
    problems.push_back(file.error());
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

bool Merge::Heap::wanted(const StoredPacket& packet) {
  if (packet.view.time < query_.from || packet.view.time >= query_.to) return false;
  if (!query_.filter) return true;
  if (packet.linktype != linktype_) look_at_linktype(packet.linktype);
  return query_.filter->matches(packet);
}

// A link type that the filter does not support is reported once.
void Merge::Heap::look_at_linktype(std::uint32_t linktype) {
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
void Merge::Heap::look_at_order(Lane& lane) {
  const auto time = lane.head->view.time;
  if (time >= lane.latest) {
    lane.latest = time;
  } else if (!std::exchange(lane.told_order, true)) {
    notices.push_back(lane.entry.path + ": its packets are not in order of time, and so is what comes of them: " +
                      "`reordercap IN OUT` (Wireshark) sorts a file");
  }
}

// Goes to the next packet that is wanted. false: the file is done.
bool Merge::Heap::advance(Lane& lane) {
  while ((lane.head = lane.file->next()) != nullptr) {
    progress_.bytes_read += lane.head->record.size();
    if (++records_ % records_between_looks == 0 && stopped()) return false;
    look_at_order(lane);
    if (wanted(*lane.head)) return true;
    if (query_.use_index && lane.entry.ordered && lane.head->view.time >= query_.to) break;
  }
  if (lane.file->problem()) problems.push_back(*lane.file->problem());
  return false;
}

// Restores the heap after the top's time has changed.
void Merge::Heap::settle_top() {
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

void Merge::Heap::tell_passed_over(const Lane& lane) {
  std::string kinds;
  for (const auto& kind : lane.file->passed_over()) kinds += (kinds.empty() ? "" : ", ") + kind;
  if (!kinds.empty()) notices.push_back(lane.entry.path + ": only its packets are taken over, without its " + kinds);
}

void Merge::Heap::drop_top() {
  auto& lane = *heap_.front().lane;
  if (lane.file) tell_passed_over(lane);
  if (lane.file) --open_now_;
  if (lane.file && lane.keeps_descriptor) --kept_open_;
  lane.file.reset();
  std::ranges::pop_heap(heap_, [](const Place& a, const Place& b) { return before(b, a); });
  heap_.pop_back();
}

Merge::Progress Merge::Heap::progress() const { return progress_; }

Merge::Merge(const Spool& spool, Query query) : Merge(spool.files(), std::move(query)) {}
Merge::Merge(std::vector<SpoolEntry> files, Query query)
    : heap_(std::make_unique<Heap>(std::move(files), std::move(query))) {}
Merge::Merge(Merge&&) noexcept = default;
Merge& Merge::operator=(Merge&&) noexcept = default;
Merge::~Merge() = default;

const StoredPacket* Merge::next() { return heap_->next(); }
Merge::Iterator& Merge::Iterator::operator++() {
  packet_ = heap_->next();
  return *this;
}
Merge::Iterator Merge::begin() { return {heap_.get(), heap_->next()}; }
PacketRun Merge::run(std::uint64_t packets) { return heap_->run(packets); }
const std::vector<Error>& Merge::problems() const& { return heap_->problems; }
const std::vector<std::string>& Merge::notices() const& { return heap_->notices; }
Merge::Progress Merge::progress() const { return heap_->progress(); }

std::expected<void, Error> Merge::outcome() const {
  if (heap_->problems.empty()) return {};
  auto error = heap_->problems.front();
  if (const auto others = heap_->problems.size() - 1; others > 0)
    error.why += " (and " + std::to_string(others) + " more)";
  return std::unexpected(std::move(error));
}

}  // namespace wirespool

// SPDX-License-Identifier: BSD-3-Clause
#include "wirespool/follow.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "read/archived_files.hpp"
#include "read/live_captures.hpp"
#include "read/merge_heap.hpp"
#include "storage/read_file.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool {

namespace fs = std::filesystem;
using read::LiveCapture;
using read::MergeHeap;
using read::MergeLane;
using Clock = std::chrono::steady_clock;
using Missed = Follow::Missed;

namespace {

// Behind --flush-age: the write itself, and how late a keeper tells of it.
constexpr std::uint64_t write_and_tell_ns = 1'000'000'000;
// Directories are listed for what no live file tells of: captures that begin, files of captures without one.
constexpr auto between_listings = std::chrono::seconds(1);
// While there is more and more to give, too: what is open is to be held before it is sealed and removed.
constexpr auto between_looks = std::chrono::milliseconds(250);
constexpr unsigned packets_between_clocks = 1024;
constexpr std::size_t compared_bytes = 64 << 10;  // of two files that may be one

Missed sum_of(const Missed& a, const Missed& b) { return {a.files + b.files, a.bytes + b.bytes}; }

// A lane of a writer, over its files one after the other.
struct LaneTime {
  Timestamp latest;           // of what was read of files that are over
  Clock::time_point grown;    // when it had something new last
  MergeLane* lane = nullptr;  // of the file that is open
};

// A capture in a directory.
struct Source {
  explicit Source(LiveCapture of) : live(std::move(of)) {}

  LiveCapture live;
  Missed before;                                                 // sealed when this reader began
  Missed seen;                                                   // of those sealed since
  Missed missed = {};                                            // sealed since, and never seen
  std::map<std::pair<unsigned, unsigned>, LaneTime> lanes = {};  // by writer and lane

  std::chrono::nanoseconds wait() const {
    return std::chrono::nanoseconds(live.told().flush_age_ns + write_and_tell_ns);
  }
};

// A directory that captures write into.
struct Listed {
  std::string path;
  std::optional<storage::FileIdentity> identity;  // when it could be looked at last
  bool changed = false;                           // by then it was another one than before
  bool away = false;                              // it cannot be listed
  // Sealed when it went away, and read: not new when it is back, by inode and length.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> read = {};
};

// A capture that is over, or whose drive failed: then it goes on there with what it had sealed.
struct Over {
  std::string directory, stem;
  Timestamp start;
  Missed sealed;

  bool is(const LiveCapture& live) const {
    return live.directory() == directory && live.stem() == stem && live.told().start == start;
  }
};

// A file that was open when it was found. It stays open here until it was found under its name, or has none any more:
// until then no other file has its inode.
struct Held {
  Source* source;
  std::uint64_t inode;
  unsigned writer;
  storage::ReadFile file;
  std::string hidden_path;
  MergeLane* lane;  // nullptr: nothing of it will come any more
  LaneTime* time;
  std::uint64_t bytes;  // told
  bool sealed = false, listed = false;
};

// By their lengths and what is at their beginnings, where the time of the first packet is.
bool is_copy_of(const storage::ReadFile& a, const storage::ReadFile& b) {
  if (a.size_now() != b.size_now()) return false;
  std::vector<std::byte> of_a(compared_bytes), of_b(compared_bytes);
  const auto got_a = a.read(0, of_a), got_b = b.read(0, of_b);
  return got_a && got_b && *got_a == *got_b && of_a == of_b;
}

}  // namespace

class Follow::Reader {
 public:
  Reader(std::vector<std::string> directories, const Query& query, Begin begin)
      : to_(query.to), begin_(begin), heap_({}, query) {
    for (auto& directory : directories) directories_.push_back({std::move(directory), {}});
    heap_.missed.emplace();
  }

  std::expected<void, Error> begin();
  void look_again();
  const StoredPacket* next();
  PacketRun run(std::uint64_t packets);

  bool running() const {
    return std::ranges::any_of(sources_, [](const Source& source) { return source.live.running(); });
  }
  bool at_end() const;
  Missed missed() const;
  std::uint64_t late() const { return late_; }
  MergeHeap& heap() { return heap_; }

 private:
  void find_captures();
  void look_at(Source& source);
  void hold(Source& source, const format::OpenFile& file);
  void settle(Held& held);
  void list();
  void take(const SpoolEntry& sealed);
  bool was_read(const SpoolEntry& sealed);
  void look_at_directories();
  Held* held_as(const SpoolEntry& sealed);
  void drop_settled();
  void count_missed(Source& source);
  void set_bound();
  void look_if_due();
  void note(Timestamp time, std::uint64_t packets);

  std::vector<Listed> directories_;
  Timestamp to_;
  Begin begin_;
  MergeHeap heap_;
  std::optional<Spool> spool_;  // of sealed files
  std::list<Source> sources_;
  std::list<Over> over_;
  std::set<std::string> gone_;  // paths of files that went with their directory: if they come back they are not new
  std::list<Held> held_;
  bool changed_ = false;  // files were sealed, or captures came or went
  bool dry_ = false;      // next() gave nothing
  Clock::time_point next_listing_{}, next_look_{};
  unsigned taken_ = 0;
  Timestamp latest_;
  std::uint64_t late_ = 0;
  Missed missed_ = {};  // of captures that are over
};

// What is open is looked at before sealed files are listed: a file that is sealed in between is known by its inode.
std::expected<void, Error> Follow::Reader::begin() {
  find_captures();
  look_at_directories();
  std::vector<std::string> paths;
  for (const auto& directory : directories_) paths.push_back(directory.path);
  auto spool = Spool::open(paths);
  if (!spool) return std::unexpected(std::move(spool.error()));
  for (const auto& entry : spool->files()) {
    if (auto* held = held_as(entry)) {
      held->source->seen.files += 1;
      held->source->seen.bytes += entry.file_bytes;
    } else if (begin_ == Begin::oldest) {
      heap_.add(entry);
    }
  }
  heap_.problems.insert(heap_.problems.end(), spool->problems().begin(), spool->problems().end());
  spool_ = std::move(*spool);
  look_again();
  return {};
}

void Follow::Reader::find_captures() {
  std::vector<storage::FileIdentity> known;
  for (const auto& source : sources_) known.push_back(source.live.identity());
  for (const auto& directory : directories_) {
    for (auto& live : LiveCapture::in(directory.path, known)) {
      known.push_back(live.identity());
      auto& source = sources_.emplace_back(std::move(live));
      const auto& told = source.live.told();
      if (!spool_) source.before = {told.sealed_files, told.sealed_bytes};
      const auto was = std::ranges::find_if(over_, [&source](const Over& over) { return over.is(source.live); });
      if (was != over_.end()) source.before = was->sealed;
      for (const auto& file : told.files) hold(source, file);
      changed_ = true;
    }
  }
}

void Follow::Reader::look_again() {
  next_look_ = Clock::now() + between_looks;
  for (auto& source : sources_) look_at(source);
  if (changed_ || Clock::now() >= next_listing_) {
    find_captures();
    list();
    changed_ = false;
    next_listing_ = Clock::now() + between_listings;
  }
  set_bound();
}

void Follow::Reader::look_at(Source& source) {
  const auto sealed = source.live.told().sealed_files;
  if (!source.live.look_again()) return;
  const auto& told = source.live.told();
  const bool over = !source.live.running();
  changed_ = changed_ || told.sealed_files != sealed || over;
  for (auto& held : held_) {
    if (held.lane == nullptr || held.source != &source) continue;
    const auto now = std::ranges::find(told.files, held.inode, &format::OpenFile::inode);
    if (now != told.files.end() && now->stored_bytes > held.bytes) {
      held.bytes = now->stored_bytes;
      held.time->grown = Clock::now();
      heap_.grow(*held.lane, held.bytes, false);
    }
    if (now == told.files.end() || over) settle(held);
  }
  if (over) return;  // what a crash left is read as far as it was told
  for (const auto& file : told.files) hold(source, file);
}

// One that gets its name in this moment is found with the sealed ones.
void Follow::Reader::hold(Source& source, const format::OpenFile& told) {
  const auto known = [&](const Held& held) { return held.source == &source && held.inode == told.inode; };
  if (std::ranges::any_of(held_, known)) return;
  const auto path = (fs::path(source.live.directory()) / told.name).string();
  auto file = storage::ReadFile::open(path);
  if (!file || file->identity().inode != told.inode) {
    changed_ = true;
    if (!spool_) source.seen.files += 1;
    return;
  }
  SpoolEntry entry;
  entry.path = path;
  entry.directory = source.live.directory();
  entry.open = true;
  entry.inode = told.inode;
  entry.stem = source.live.stem();
  entry.writer = told.writer;
  entry.file_bytes = told.stored_bytes;
  const bool only_new = !spool_ && begin_ == Begin::now;
  auto& lane = heap_.add_open(std::move(entry), only_new ? told.stored_bytes : 0, only_new ? told.record_at : 0);
  auto& time = source.lanes[{told.writer, told.lane}];
  time.grown = Clock::now();
  time.lane = &lane;
  held_.push_back({&source, told.inode, told.writer, std::move(*file), path, &lane, &time, told.stored_bytes});
  heap_.grow(lane, told.stored_bytes, false);
}

// It is not open any more: sealed, and as long as it is now, or left hidden, where only what was told counts: on a
// drive that failed nothing can be opened.
void Follow::Reader::settle(Held& held) {
  const auto hidden = storage::ReadFile::open(held.hidden_path);
  held.sealed = hidden ? hidden->identity() != held.file.identity() : hidden.error().code == ENOENT;
  held.time->latest = std::max(held.time->latest, held.lane->latest);
  if (held.time->lane == held.lane) held.time->lane = nullptr;
  heap_.grow(*std::exchange(held.lane, nullptr), held.sealed ? held.file.size_now() : held.bytes, true);
}

// A directory that is another one now than when it was listed last: what went with it may come back, from a drive that
// was mended, and so may that be under another device number.
void Follow::Reader::look_at_directories() {
  for (auto& directory : directories_) {
    const auto identity = storage::identity_of(directory.path);
    if (!identity) continue;
    directory.changed = directory.identity && directory.identity != identity;
    directory.identity = identity;
  }
}

void Follow::Reader::list() {
  look_at_directories();
  const auto changes = spool_->refresh(Spool::Unlisted::kept);
  if (!changes) return;  // not of directories
  for (auto& directory : directories_) {
    for (const auto& path : changes->removed)
      if (directory.changed && fs::path(path).parent_path() == directory.path) gone_.insert(path);
    const auto problem = std::ranges::find(spool_->problems(), directory.path, &Error::what);
    const bool away = problem != spool_->problems().end();
    if (away && !std::exchange(directory.away, away))
      heap_.notices.push_back(directory.path + ": " + problem->why + ": it was left, and looked at again from then on");
    directory.away = away;
  }
  for (const auto& entry : changes->added)
    if (gone_.erase(entry.path) == 0 && !was_read(entry)) take(entry);
  drop_settled();
  for (auto& source : sources_) count_missed(source);
  std::erase_if(sources_, [this](const Source& source) {
    if (source.live.running()) return false;
    if (std::ranges::any_of(held_, [&source](const Held& held) { return held.source == &source; })) return false;
    missed_ = sum_of(missed_, source.missed);
    std::erase_if(over_, [&source](const Over& over) { return over.is(source.live); });
    over_.push_back({source.live.directory(), source.live.stem(), source.live.told().start,
                     sum_of(sum_of(source.before, source.seen), source.missed)});
    return true;
  });
}

bool Follow::Reader::was_read(const SpoolEntry& sealed) {
  for (auto& directory : directories_) {
    if (directory.read.empty() || directory.path != sealed.directory) continue;
    const auto file = storage::ReadFile::open(sealed.path);
    return file && std::erase(directory.read, std::pair(file->identity().inode, file->size())) > 0;
  }
  return false;
}

void Follow::Reader::take(const SpoolEntry& sealed) {
  for (auto& source : sources_) {
    if (source.live.directory() != sealed.directory || source.live.stem() != sealed.stem) continue;
    if (sealed.name_time < source.live.told().start) continue;
    source.seen.files += 1;
    source.seen.bytes += sealed.file_bytes;
  }
  if (held_as(sealed) == nullptr) heap_.add(sealed);
}

// By its inode. One that was moved into an archive before it was found has another there, and none where it was: it is
// known by what it holds, as the files of a busy capture are all of one length.
Held* Follow::Reader::held_as(const SpoolEntry& sealed) {
  const bool any_moved = std::ranges::any_of(held_, [](const Held& held) { return held.file.has_no_name(); });
  const auto file = storage::ReadFile::open(any_moved ? read::path_now(sealed) : sealed.path);
  if (!file) return nullptr;
  const bool moved = sealed.archived || file->path() != sealed.path;
  const auto is_it = [&](const Held& held) {
    if (file->identity() == held.file.identity()) return true;
    return moved && held.writer == sealed.writer && held.source->live.directory() == sealed.directory &&
           held.source->live.stem() == sealed.stem && held.file.has_no_name() && is_copy_of(held.file, *file);
  };
  const auto held = std::ranges::find_if(held_, is_it);
  if (held == held_.end()) return nullptr;
  held->listed = true;
  return &*held;
}

// Those that need not be known again: found under their names, left hidden, or removed since they were sealed. Of a
// drive that failed nothing may stay open, or it cannot be unmounted.
void Follow::Reader::drop_settled() {
  std::erase_if(held_, [this](const Held& held) {
    if (held.lane != nullptr) return false;
    if (held.listed || !held.sealed) return true;
    const auto directory = std::ranges::find(directories_, held.source->live.directory(), &Listed::path);
    if (directory->away) {
      directory->read.emplace_back(held.inode, held.file.size_now());
      return true;
    }
    if (!held.file.has_no_name()) return false;
    held.source->seen.files += 1;
    held.source->seen.bytes += held.file.size_now();
    return true;
  });
}

void Follow::Reader::count_missed(Source& source) {
  const auto more = [](std::uint64_t sealed, std::uint64_t known) { return sealed - std::min(sealed, known); };
  const auto& told = source.live.told();
  const auto files = more(told.sealed_files, source.before.files + source.seen.files);
  if (files <= source.missed.files) return;
  source.missed = {files, more(told.sealed_bytes, source.before.bytes + source.seen.bytes)};
}

// A lane that has just had packets may have others on their way, earlier than those of other lanes.
void Follow::Reader::set_bound() {
  heap_.until = Timestamp{std::numeric_limits<std::uint64_t>::max()};
  const auto now = Clock::now();
  for (auto& source : sources_) {
    for (auto& [number, time] : source.lanes) {
      const bool holds = source.live.running() && now - time.grown < source.wait();
      if (time.lane != nullptr) {
        time.lane->holds = holds;
        time.latest = std::max(time.latest, time.lane->latest);
      }
      if (holds && (time.lane == nullptr || time.lane->dry)) heap_.until = std::min(heap_.until, time.latest);
    }
  }
}

void Follow::Reader::look_if_due() {
  if (++taken_ < packets_between_clocks) return;
  taken_ = 0;
  if (Clock::now() >= next_look_) look_again();
}

void Follow::Reader::note(Timestamp time, std::uint64_t packets) {
  if (time < latest_) late_ += packets;
  latest_ = std::max(latest_, time);
}

const StoredPacket* Follow::Reader::next() {
  look_if_due();
  const auto* packet = heap_.next();
  dry_ = packet == nullptr;
  if (packet != nullptr) note(packet->view.time, 1);
  return packet;
}

PacketRun Follow::Reader::run(std::uint64_t packets) {
  const auto run = heap_.run(packets);
  if (run.packets > 1) note(run.last, run.packets - 1);
  return run;
}

bool Follow::Reader::at_end() const {
  if (!dry_) return false;
  std::chrono::nanoseconds wait(write_and_tell_ns);
  for (const auto& source : sources_) wait = std::max(wait, source.wait());
  const auto now = time_now().ns, waited = static_cast<std::uint64_t>(wait.count());
  return !running() || (now > waited && now - waited > to_.ns);
}

Missed Follow::Reader::missed() const {
  auto all = sum_of(missed_, *heap_.missed);
  for (const auto& source : sources_) all = sum_of(all, source.missed);
  return all;
}

Follow::Follow(std::unique_ptr<Reader> reader) : reader_(std::move(reader)) {}
Follow::Follow(Follow&&) noexcept = default;
Follow& Follow::operator=(Follow&&) noexcept = default;
Follow::~Follow() = default;

std::expected<Follow, Error> Follow::open(const std::vector<std::string>& directories, Query query, Begin begin) {
  for (const auto& directory : directories) {
    std::error_code ignored;
    if (fs::exists(directory, ignored) && !fs::is_directory(directory, ignored))
      return std::unexpected(Error{directory, "it is no directory", "name the output directories of captures"});
  }
  auto reader = std::make_unique<Reader>(directories, query, begin);
  if (auto begun = reader->begin(); !begun) return std::unexpected(std::move(begun.error()));
  return Follow(std::move(reader));
}

const StoredPacket* Follow::next() { return reader_->next(); }
PacketRun Follow::run(std::uint64_t packets) { return reader_->run(packets); }
void Follow::look_again() { reader_->look_again(); }
bool Follow::running() const { return reader_->running(); }
bool Follow::at_end() const { return reader_->at_end(); }
Missed Follow::missed() const { return reader_->missed(); }
std::uint64_t Follow::late() const { return reader_->late(); }
const std::vector<Error>& Follow::problems() const& { return reader_->heap().problems; }
const std::vector<std::string>& Follow::notices() const& { return reader_->heap().notices; }
Merge::Progress Follow::progress() const { return reader_->heap().progress(); }

}  // namespace wirespool

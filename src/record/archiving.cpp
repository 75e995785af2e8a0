// SPDX-License-Identifier: BSD-3-Clause
#include "record/archiving.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "storage/named_file.hpp"
#include "storage/steady_time.hpp"

namespace wirespool::record {
namespace {

using namespace std::chrono_literals;
using Why = keep::NotMoved::Why;

constexpr auto between_looks = 200ms;
constexpr auto between_lists = 60s;  // if nothing was sealed: a pin may have been released
constexpr std::size_t most_complaints = 16;

}  // namespace

Archiving::Archiving(ArchivingOptions options, const std::vector<const storage::Directory*>& directories)
    : options_(std::move(options)),
      calm_(static_cast<std::uint64_t>(options_.quiet.count())),
      mover_([this] { return go_on(); }) {
  for (const auto* directory : directories) shelves_.emplace_back(*directory, options_.stem);
  for (const auto& path : options_.archives) archives_.push_back({.counts = {.path = path, .state = "ok"}});
}

Archiving::~Archiving() {
  ask_to_stop();
  if (thread_.joinable()) thread_.join();
}

std::expected<void, storage::IoError> Archiving::claim() const {
  for (const auto& archive : options_.archives)
    if (auto claimed = keep::claim_archive(archive); !claimed) return claimed;
  return {};
}

void Archiving::start(std::function<std::vector<policy::DriveLook>()> look) {
  look_ = std::move(look);
  ended_.store(false, std::memory_order_relaxed);
  thread_ = std::thread(&Archiving::run, this);
}

void Archiving::ask_to_stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
}

bool Archiving::wait_for_end(Clock::time_point end) const {
  const auto ended = [this] { return ended_.load(std::memory_order_acquire); };
  while (!ended() && Clock::now() < end) std::this_thread::sleep_for(1ms);
  return ended();
}

void Archiving::sealed(const storage::Directory&, const std::string&, const SealedFile&) {
  const std::lock_guard lock(mutex_);
  fresh_ = true;  // looked at with the next look: nothing moves at once
}

void Archiving::run() {
  bool moved = false;
  while (moved || pause()) {
    moved = false;
    if (!look() || !any_to_try()) continue;
    if (waiting_.empty()) list();
    if (!waiting_.empty()) moved = move_one();
  }
  ended_.store(true, std::memory_order_release);
}

bool Archiving::pause() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, between_looks, [this] { return stop_; });
  return !stop_;
}

// At most once in between_looks: while nothing changes in between, a drive seems to stand still.
bool Archiving::look() {
  const auto now = Clock::now();
  if (now - last_look_ < between_looks) return is_calm_;
  last_look_ = now;
  is_calm_ = calm_.look(look_(), storage::steady_ns());
  return is_calm_;
}

// Between two pieces.
bool Archiving::go_on() {
  {
    const std::lock_guard lock(mutex_);
    piece_began_.reset();
    slow_told_ = false;
  }
  while (!look())
    if (!pause()) return false;
  const std::lock_guard lock(mutex_);
  piece_began_ = Clock::now();
  return !stop_;
}

// Whether an archive takes files, or is to be looked at again.
bool Archiving::any_to_try() const {
  return std::ranges::any_of(archives_, [now = Clock::now()](const Archive& archive) { return now >= archive.again; });
}

void Archiving::list() {
  {
    const std::lock_guard lock(mutex_);
    if (!fresh_ && Clock::now() - last_list_ < between_lists) return;
    fresh_ = false;
  }
  last_list_ = Clock::now();
  for (std::size_t drive = 0; drive < shelves_.size(); ++drive) {
    auto files = shelves_[drive].look();
    if (!files) continue;  // retention, or the drive itself, tells of it
    for (auto& file : *files)
      if (file.hold == keep::Hold::none && file.capture != Timestamp{} &&
          !left_alone_.contains(shelves_[drive].directory().path_of(file.name)))
        waiting_.push_back({drive, std::move(file)});
  }
  std::ranges::sort(waiting_, std::ranges::greater{}, [](const Waiting& waiting) { return waiting.file.last; });
}

// Whether it was.
bool Archiving::move_one() {
  const auto archive = choose(waiting_.back().file.room_bytes);
  if (!archive) return false;
  const auto [drive, file] = std::move(waiting_.back());
  waiting_.pop_back();
  auto& shelf = shelves_[drive];
  const auto to = options_.archives[*archive];
  {
    const std::lock_guard lock(mutex_);
    moving_to_ = to;
    piece_began_ = Clock::now();
  }
  const auto moved = mover_.move(shelf, file, to);
  const std::lock_guard lock(mutex_);
  piece_began_.reset();
  slow_told_ = false;
  if (!moved) {
    judge(archives_[*archive], shelf.directory().path_of(file.name), moved.error());
    return false;
  }
  auto& counts = archives_[*archive].counts;
  counts.files += 1;
  counts.packets += file.packets;
  counts.bytes += file.bytes;
  return true;
}

std::optional<std::size_t> Archiving::choose(std::uint64_t bytes) {
  std::vector<std::uint64_t> free;
  for (auto& archive : archives_) free.push_back(free_in(archive));
  const auto chosen = policy::archive_for(bytes, free);
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < archives_.size(); ++i) {
    auto& archive = archives_[i];
    if (chosen == i && archive.counts.state != "ok") {
      archive.counts.state = "ok";
      archive.counts.why.clear();
      complain(archive.counts.path + ": takes files again");
    } else if (free[i] != 0 && (!chosen || i < *chosen)) {
      leave_out(archive, "full", "it has " + std::to_string(free[i]) + " bytes left");
    }
  }
  return chosen;
}

// 0: it cannot be asked, or not yet again.
std::uint64_t Archiving::free_in(Archive& archive) {
  if (Clock::now() < archive.again) return 0;
  const auto opened = keep::open_archive(archive.counts.path);
  const auto system = opened ? storage::file_system_of(*opened) : std::unexpected(opened.error());
  if (system) return std::max<std::uint64_t>(1, system->free);
  const std::lock_guard lock(mutex_);
  leave_out(archive, "failed", system.error().message());
  return 0;
}

// With the mutex.
void Archiving::judge(Archive& archive, const std::string& path, const keep::NotMoved& problem) {
  const auto& error = problem.error;
  switch (problem.why) {
    case Why::stopped:
    case Why::held:
    case Why::gone:
      return;
    case Why::archive:
      waiting_.clear();  // listed again, this file too
      fresh_ = true;
      return leave_out(archive, error.code == ENOSPC || error.code == EDQUOT ? "full" : "failed", error.message());
    case Why::original:
    case Why::taken:
      left_alone_.insert(path);
      complain(path + ": it stays where it is: " + error.message());
  }
}

// With the mutex. Told when its state changes.
void Archiving::leave_out(Archive& archive, const char* state, const std::string& why) {
  archive.again = Clock::now() + std::chrono::duration_cast<Clock::duration>(options_.again_after);
  auto& counts = archive.counts;
  if (counts.state != state)
    complain(counts.path + ": " + state + ": " + why + ": sealed files stay on the drives until it takes some again");
  counts.state = state;
  counts.why = why;
}

// With the mutex.
void Archiving::complain(const std::string& what) {
  if (complaints_.size() < most_complaints) complaints_.push_back("archive: " + what);
}

std::vector<ArchiveCounts> Archiving::counts() const {
  const std::lock_guard lock(mutex_);
  std::vector<ArchiveCounts> all;
  const bool slow = piece_began_ && Clock::now() - *piece_began_ > options_.slow_after;
  for (const auto& archive : archives_) {
    all.push_back(archive.counts);
    if (!slow || archive.counts.path != moving_to_) continue;
    all.back().state = "slow";
    all.back().why = "it has a piece of a file under way";
  }
  return all;
}

std::vector<std::string> Archiving::take_complaints() {
  const std::lock_guard lock(mutex_);
  if (piece_began_ && !slow_told_ && Clock::now() - *piece_began_ > options_.slow_after) {
    complain(moving_to_ + ": slow: 4 MiB take it, or the drive, more than " +
             std::to_string(std::chrono::duration_cast<std::chrono::seconds>(options_.slow_after).count()) +
             " s: sealed files stay on the drives meanwhile");
    slow_told_ = true;
  }
  return std::exchange(complaints_, {});
}

}  // namespace wirespool::record

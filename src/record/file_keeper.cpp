// SPDX-License-Identifier: BSD-3-Clause
#include "record/file_keeper.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "format/crc32c.hpp"
#include "format/file_name.hpp"
#include "format/index_file.hpp"
#include "policy/patience.hpp"
#include "read/file_mark.hpp"
#include "storage/drive.hpp"
#include "storage/small_file.hpp"

namespace wirespool::record {
namespace {

// How long a request can wait that came without a wake-up.
constexpr auto nap = std::chrono::milliseconds(20);

// What is known of the clock that stamped the packets from `first` to `last`, in a file that is sealed now.
format::FileClock file_clock(const stats::ClockBounds* bounds, Timestamp first, Timestamp last) {
  if (!bounds) return {};
  const auto bound = bounds->since(first, last, time_now());
  return {bound.source, bound.discipline, bound.error_ns};
}

// Of a full drive: more than every lane's open Block, so that it is not full again at once.
constexpr std::uint64_t least_room = 8 << 20;

}  // namespace

FileKeeper::FileKeeper(FileKeeperOptions options, Drive& drive, const storage::Directory& directory,
                       std::vector<FileSlot*> slots)
    : options_(std::move(options)), drive_(drive), directory_(directory), slots_(std::move(slots)) {
  if (options_.live_flush_age_ns)
    live_.emplace(directory_, options_.stem, options_.capture_start, *options_.live_flush_age_ns);
}

FileKeeper::~FileKeeper() { stop(); }

void FileKeeper::start() {
  ended_.store(false, std::memory_order_relaxed);
  thread_ = std::thread(&FileKeeper::run, this);
}

void FileKeeper::ask_to_stop() noexcept {
  stop_.store(true, std::memory_order_relaxed);
  wake();
}

void FileKeeper::stop() noexcept {
  if (!thread_.joinable()) return;
  ask_to_stop();
  thread_.join();
}

void FileKeeper::run() {
  while (!stop_.load(std::memory_order_relaxed)) {
    const auto done = work();
    tend_drive(Clock::now());
    if (done == 0) (void)wake_.try_acquire_for(nap);
  }
  while (work() != 0) continue;
  if (live_) live_->end();
  if (left_at_) (void)try_drive();  // for the end of its ledger
  ended_.store(true, std::memory_order_release);
}

void FileKeeper::count_unsealed() noexcept {
  for (const auto* slot : slots_) {
    const auto state = slot->state.load(std::memory_order_acquire);
    if (state != FileSlot::State::open && state != FileSlot::State::sealing) continue;
    drive_.left_unsynced(slot->tally.packets - std::min(slot->synced.load(), slot->tally.packets));
  }
}

std::size_t FileKeeper::work() {
  const auto served = std::count_if(slots_.begin(), slots_.end(), [this](auto* slot) { return serve(*slot); });
  tell_live();
  return static_cast<std::size_t>(served) + do_posted();
}

// After files got their names, so that one that is not told any more has its own or is gone.
void FileKeeper::tell_live() {
  if (!live_ || drive_.state() == DriveState::failed) return;
  if (const auto told = live_->tell(slots_); !told)
    drive_.complain(told.error().message() + ": readers see its files when they are sealed, and not before");
}

void FileKeeper::tend_drive(Clock::time_point now) {
  const auto state = drive_.state();
  if (state == DriveState::failed && !left_at_) return leave_alone(now);
  if (state == DriveState::ok || now < next_trial_) return;
  if (state == DriveState::full)
    look_for_room(now);
  else
    try_again(now);
}

// A quota is not seen in what is free: only a write shows.
void FileKeeper::look_for_room(Clock::time_point now) {
  next_trial_ = now + policy::pause_before_look_for_room;
  const auto enough = std::max<std::uint64_t>(least_room, 4 * slots_.size() * options_.block_bytes);
  if (drive_.load() != 0 || storage::free_bytes(directory_) < enough) return;
  if (const auto done = storage::prove_writing(directory_, drive_.block_bytes(), options_.direct_io); !done) {
    const auto code = done.error().code;
    if (code == EIO || !policy::may_pass(code)) drive_.fail(code, done.error().what);
    return;
  }
  drive_.take_back();
  drive_.complain("drive " + drive_.path() + ": it was full, and has room again: it takes Blocks again");
}

// Nothing on a drive that failed may stay open: its file system may have to be unmounted before it works again. What is
// mounted then is found by its path.
void FileKeeper::leave_alone(Clock::time_point now) {
  if (drive_.writers_gone() < options_.writers || !directory_.let_go()) return;
  if (live_) live_->let_go();
  if (options_.drive_listener) options_.drive_listener->left(options_.number);
  left_at_ = now;
  next_trial_ = now + policy::pause_before_return(returns_);
}

void FileKeeper::try_again(Clock::time_point now) {
  next_trial_ = now + policy::pause_before_return(returns_);
  if (const auto tried = try_drive(); !tried) {
    if (const auto why = tried.error().message(); why != std::exchange(refusal_, why))
      drive_.complain("drive " + drive_.path() + ": not taken back yet: " + why);
    return;
  }
  const auto away = std::chrono::duration_cast<std::chrono::seconds>(now - *left_at_).count();
  drive_.complain("drive " + drive_.path() + ": it takes Blocks again, " + std::to_string(away) + " s after " +
                  drive_.why() + ": what is hidden there is left for wirespool repair");
  left_at_.reset();
  next_trial_ = now;
  refusal_.clear();
  ++returns_;
  drive_.take_back();
}

std::expected<void, storage::IoError> FileKeeper::try_drive() {
  auto done = directory_.open_again(format::capture_file_name(options_.stem, options_.capture_start));
  if (done) done = storage::prove_writing(directory_, drive_.block_bytes(), options_.direct_io);
  if (done && options_.drive_listener) done = options_.drive_listener->back(options_.number);
  if (!done) (void)directory_.let_go();
  return done;
}

void FileKeeper::post(std::function<void()> job) {
  if (!thread_.joinable()) {
    job();
    return;
  }
  const std::lock_guard lock(posted_mutex_);
  posted_.push_back(std::move(job));
}

std::size_t FileKeeper::do_posted() {
  std::vector<std::function<void()>> jobs;
  {
    const std::lock_guard lock(posted_mutex_);
    jobs.swap(posted_);
  }
  for (const auto& job : jobs) job();
  return jobs.size();
}

bool FileKeeper::serve(FileSlot& slot) {
  switch (slot.state.load(std::memory_order_acquire)) {
    case FileSlot::State::wanted:
      if (slot.refusals != 0 && std::chrono::steady_clock::now() < slot.next_try) return false;
      open(slot);
      return true;
    case FileSlot::State::open:
      if (slot.trim_to.load(std::memory_order_acquire) != FileSlot::nothing) {
        trim(slot);
        return true;
      }
      if (slot.wanted_bytes.load(std::memory_order_acquire) == slot.allocated_bytes.load(std::memory_order_relaxed))
        return sync(slot);
      grow(slot);
      return true;
    case FileSlot::State::sealing:
      close(slot);
      return true;
    default:
      return false;
  }
}

void FileKeeper::open(FileSlot& slot) {
  const format::FileName name{options_.stem, options_.capture_start, slot.writer, slot.hidden_number,
                              options_.layout->format()};
  const auto mode = options_.direct_io ? storage::DirectFile::Mode::direct : storage::DirectFile::Mode::buffered;
  const auto create = [&] { return storage::DirectFile::create(directory_, format::hidden_file_name(name), mode); };
  auto file = create();
  if (!file && file.error().code == ENOENT && directory_.make_again()) file = create();
  if (!file) {
    refuse(slot, std::move(file.error()));
    return;
  }
  slot.file.emplace(std::move(*file));
  slot.inode = slot.file->inode();
  slot.cannot_preallocate.store(false, std::memory_order_relaxed);
  slot.allocated_bytes.store(0, std::memory_order_relaxed);
  slot.trim_to.store(FileSlot::nothing, std::memory_order_relaxed);
  slot.synced = 0;
  slot.sync_failed = slot.told_removed = false;
  slot.next_sync = std::chrono::steady_clock::now() + options_.sync_age;
  preallocate(slot, options_.preallocate_bytes);
  slot.wanted_bytes.store(slot.allocated_bytes.load(std::memory_order_relaxed), std::memory_order_relaxed);
  slot.state.store(FileSlot::State::open, std::memory_order_release);
}

void FileKeeper::refuse(FileSlot& slot, storage::IoError error) {
  const auto most = error.code == EIO ? policy::most_open_retries_after_eio : policy::most_open_retries;
  if (drive_.ok() && policy::may_pass(error.code) && slot.refusals < most) {
    if (slot.refusals == 0 && !slot.asked_again) drive_.complain(error.message() + ": it is tried again");
    slot.next_try = std::chrono::steady_clock::now() + policy::pause_before_retry(slot.refusals++);
    return;
  }
  slot.error = std::move(error);
  slot.state.store(FileSlot::State::refused, std::memory_order_release);
}

// Runs a step again that may be refused for a moment only, and that does no harm if it was done after all.
template <typename Step>
std::expected<void, storage::IoError> FileKeeper::patiently(Step step) {
  for (unsigned retries = 0;; ++retries) {
    auto done = step();
    if (done || retries == policy::most_step_retries || !drive_.ok() || !policy::may_pass(done.error().code))
      return done;
    drive_.complain(done.error().message() + ": it is tried again");
    std::this_thread::sleep_for(policy::pause_before_retry(retries));
  }
}

// What was allocated ahead goes with it; a file that gets busy again asks anew.
void FileKeeper::trim(FileSlot& slot) {
  const auto length = slot.trim_to.load(std::memory_order_relaxed);
  if (auto done = patiently([&] { return slot.file->truncate(length); }); !done)
    drive_.fail(done.error().code, done.error().what);
  slot.wanted_bytes.store(0, std::memory_order_relaxed);
  slot.allocated_bytes.store(0, std::memory_order_relaxed);
  slot.trim_to.store(FileSlot::nothing, std::memory_order_release);
}

void FileKeeper::grow(FileSlot& slot) {
  const auto wanted = slot.wanted_bytes.load(std::memory_order_relaxed);
  preallocate(slot, wanted);
  slot.allocated_bytes.store(wanted, std::memory_order_release);
}

// A write that ended is in the drive, but the file system may know of it only in its journal's next commit (ext4: 5 s
// apart, XFS: 30 s), without which the file ends earlier or reads as zeros there. What a sync covers outlives the
// drive.
bool FileKeeper::sync(FileSlot& slot) {
  const auto stored = slot.stored.load(std::memory_order_acquire);
  if (options_.sync_age.count() == 0 || stored == slot.synced || !drive_.ok()) return false;
  if (std::chrono::steady_clock::now() < slot.next_sync) return false;
  look_for_name(slot);
  if (auto done = slot.file->sync(); done) {
    slot.synced = stored;
  } else {
    slot.sync_failed = true;
    drive_.fail(done.error().code, done.error().what);
  }
  slot.next_sync = std::chrono::steady_clock::now() + options_.sync_age;
  return true;
}

// A file without a name ends with the process that has it open. It is ended early, and gets a name then.
void FileKeeper::look_for_name(FileSlot& slot) {
  if (slot.told_removed || !slot.file->lost_its_name()) return;
  slot.told_removed = true;
  drive_.complain(directory_.path_of(slot.file->hidden_name()) +
                  ": removed while it is written: it is ended now and saved from its open descriptor");
  drive_.renew();
}

// Only ever a help: a file that could not be preallocated is written all the same.
void FileKeeper::preallocate(FileSlot& slot, std::uint64_t bytes) {
  const auto from = slot.allocated_bytes.load(std::memory_order_relaxed);
  const bool worth_it = bytes > from && affordable(bytes - from) == bytes - from;
  if (worth_it && slot.file->preallocate(from, bytes - from))
    slot.allocated_bytes.store(bytes, std::memory_order_release);
  else
    slot.cannot_preallocate.store(true, std::memory_order_relaxed);
}

// A nearly full drive keeps its room for data.
std::uint64_t FileKeeper::affordable(std::uint64_t bytes) const {
  return std::min(bytes, storage::free_bytes(directory_) / (4 * slots_.size()));
}

void FileKeeper::close(FileSlot& slot) {
  if (slot.tally.packets == 0) {
    if (auto done = patiently([&] { return slot.file->discard(); }); !done)
      drive_.fail(done.error().code, done.error().what);
  } else {
    seal(slot);
  }
  slot.file.reset();
  slot.state.store(FileSlot::State::idle, std::memory_order_release);
}

void FileKeeper::seal(FileSlot& slot) {
  const auto name =
      format::format_file_name({options_.stem, slot.first, slot.writer, slot.sequence, options_.layout->format()});
  for (auto* const listener : options_.listeners) listener->sealing(directory_, name);
  if (!make_whole(slot)) {
    leave_hidden(slot);
    return;
  }
  if (!give_name(slot, name)) return;
  files_sealed_.fetch_add(1, std::memory_order_relaxed);
  if (live_) live_->sealed(slot.length);
  if (options_.write_index && slot.index_complete) write_index(slot, name);
  const SealedFile sealed{slot.first, slot.last, slot.tally, slot.length};
  for (auto* const listener : options_.listeners) listener->sealed(directory_, name, sealed);
}

// Cut and synced. A sync is not tried again: the kernel reports a write that failed once, and a second sync that ends
// well says nothing of what the first one lost. For the same reason a file that once could not be synced is not whole.
bool FileKeeper::make_whole(FileSlot& slot) {
  auto done = patiently([&] { return slot.file->truncate(slot.length); });
  if (done) write_ending(slot);
  if (done && !slot.sync_failed) done = slot.file->sync();
  if (!done) drive_.fail(done.error().code, done.error().what);
  return done && !slot.sync_failed;
}

// Without it the file is whole all the same: it says less.
void FileKeeper::write_ending(FileSlot& slot) {
  const auto error_ns = file_clock(options_.clock, slot.first, slot.last).error_ns;
  const auto ending = options_.layout->ending(slot.sources, slot.first, slot.last, error_ns);
  if (ending.empty()) return;
  if (const auto done = slot.file->append(slot.length, ending); done) {
    slot.length += ending.size();
    if (slot.index.keeps_checksums()) slot.index.go_on(format::crc32c(ending), ending.size());
  } else {
    (void)slot.file->truncate(slot.length);
    drive_.complain(done.error().message() + ": the file has no statistics of its interfaces: the ledger has them");
  }
}

// Not sealed, for it may not be whole: `wirespool repair` finds what of it is on the drive, if it has a name.
void FileKeeper::leave_hidden(FileSlot& slot) {
  if (slot.file->has_no_name()) {
    const auto saved = slot.file->rescue(directory_, slot.length, slot.file->hidden_name());
    if (!saved) return take_back(slot, saved.error());
  }
  drive_.left_unsynced(slot.tally.packets - slot.synced);
}

// The file is whole and synced: what is left is its name. False: it has none, and that was reported.
bool FileKeeper::give_name(FileSlot& slot, const std::string& name) {
  auto named = patiently([&] { return slot.file->rename_to(name); });
  if (!named && named.error().code == ENOENT) {
    named = patiently([&] { return slot.file->rescue(directory_, slot.length, name); });
    if (named) drive_.complain(directory_.path_of(name) + ": saved: its hidden file had been removed");
  }
  const bool has_name = named.has_value();
  if (named && (named = slot.file->sync_directory())) return true;
  if (!has_name && slot.file->has_no_name()) {
    take_back(slot, named.error());
  } else {
    drive_.fail(named.error().code, named.error().what);
    drive_.left_unsynced(slot.tally.packets - slot.synced);
  }
  return has_name;
}

void FileKeeper::take_back(const FileSlot& slot, const storage::IoError& why) {
  drive_.lost(slot.tally.packets, slot.tally.bytes);
  drive_.complain(directory_.path_of(slot.file->hidden_name()) + ": removed while it was written, and " +
                  why.message() + ": " + std::to_string(slot.tally.packets) +
                  " packets that were called stored are lost, and counted as drop_drive");
}

// A file without an index is whole all the same: `wirespool index` can make one.
void FileKeeper::write_index(const FileSlot& slot, const std::string& name) {
  const auto& rows = slot.index;
  const auto entries = rows.entries();
  const auto last = entries.empty() ? slot.first : entries.back().last;
  const format::IndexHeader header{.level = rows.keeps_filters() ? format::IndexLevel::flow : format::IndexLevel::time,
                                   .file_bytes = slot.length,
                                   .packets = slot.tally.packets,
                                   .bytes = slot.tally.bytes,
                                   .first = slot.first,
                                   .last = last,
                                   .block_bytes = options_.block_bytes,
                                   .capture_mark = format::capture_mark(options_.capture_start),
                                   .mark = read::mark_of(directory_.path_of(name)),
                                   .clock = file_clock(options_.clock, slot.first, last),
                                   .checksums = rows.keeps_checksums(),
                                   .head_checksum = rows.head_checksum()};
  const auto written = storage::write_small_file(directory_, format::index_file_name(name),
                                                 format::encode_index(header, entries, {rows.lines(), rows.filters()}));
  if (!written) drive_.complain(written.error().message() + ": the file has no index: make it with wirespool index");
}

}  // namespace wirespool::record

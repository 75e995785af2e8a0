// SPDX-License-Identifier: BSD-3-Clause
#include "spool/file_keeper.hpp"

#include <algorithm>
#include <chrono>

#include "format/file_name.hpp"
#include "format/index_file.hpp"
#include "storage/drive.hpp"
#include "storage/small_file.hpp"

namespace wirespool::spool {
namespace {

// How long a request can wait that came without a wake-up.
constexpr auto nap = std::chrono::milliseconds(20);

}  // namespace

FileKeeper::FileKeeper(FileKeeperOptions options, Drive& drive, const storage::Directory& directory,
                       std::vector<FileSlot*> slots)
    : options_(std::move(options)), drive_(drive), directory_(directory), slots_(std::move(slots)) {}

FileKeeper::~FileKeeper() { stop(); }

void FileKeeper::start() { thread_ = std::thread(&FileKeeper::run, this); }

void FileKeeper::stop() noexcept {
  if (!thread_.joinable()) return;
  stop_.store(true, std::memory_order_relaxed);
  wake();
  thread_.join();
}

void FileKeeper::run() {
  while (!stop_.load(std::memory_order_relaxed)) {
    if (work() == 0) (void)wake_.try_acquire_for(nap);
  }
  while (work() != 0) continue;
}

std::size_t FileKeeper::work() {
  const auto served = std::count_if(slots_.begin(), slots_.end(), [this](auto* slot) { return serve(*slot); });
  return static_cast<std::size_t>(served) + do_posted();
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
      open(slot);
      return true;
    case FileSlot::State::open:
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
  const format::FileName name{options_.stem, options_.capture_start, slot.writer, slot.hidden_number};
  const auto mode = options_.direct_io ? storage::DirectFile::Mode::direct : storage::DirectFile::Mode::buffered;
  auto file = storage::DirectFile::create(directory_, format::hidden_file_name(name), mode);
  if (!file) {
    slot.error = file.error();
    slot.state.store(FileSlot::State::refused, std::memory_order_release);
    return;
  }
  slot.file.emplace(std::move(*file));
  slot.cannot_preallocate.store(false, std::memory_order_relaxed);
  slot.allocated_bytes.store(0, std::memory_order_relaxed);
  slot.synced = 0;
  slot.next_sync = std::chrono::steady_clock::now() + options_.sync_age;
  preallocate(slot, options_.preallocate_bytes);
  slot.wanted_bytes.store(slot.allocated_bytes.load(std::memory_order_relaxed), std::memory_order_relaxed);
  slot.state.store(FileSlot::State::open, std::memory_order_release);
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
  if (auto done = slot.file->sync(); done)
    slot.synced = stored;
  else
    drive_.fail(done.error().code, done.error().what);
  slot.next_sync = std::chrono::steady_clock::now() + options_.sync_age;
  return true;
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
  return std::min(bytes, storage::free_bytes(directory_.path()) / (4 * slots_.size()));
}

void FileKeeper::close(FileSlot& slot) {
  if (slot.tally.packets == 0) {
    if (auto done = slot.file->discard(); !done) drive_.fail(done.error().code, done.error().what);
  } else {
    seal(slot);
  }
  slot.file.reset();
  slot.state.store(FileSlot::State::idle, std::memory_order_release);
}

void FileKeeper::seal(FileSlot& slot) {
  const auto name = format::format_file_name({options_.stem, slot.first, slot.writer, slot.sequence});
  const bool announced = options_.seal_hook != nullptr && options_.seal_hook->announce(directory_, name);
  if (auto done = slot.file->seal(slot.length, name); !done) {
    drive_.fail(done.error().code, done.error().what);
    drive_.left_unsynced(slot.tally.packets - slot.synced);
    return;
  }
  files_sealed_.fetch_add(1, std::memory_order_relaxed);
  if (options_.write_index && slot.index_complete) write_index(slot, name);
  if (options_.seal_hook != nullptr) options_.seal_hook->sealed(directory_, name, announced);
}

// A file without an index is whole all the same: `wirespool index` can make one.
void FileKeeper::write_index(const FileSlot& slot, const std::string& name) {
  const auto& rows = slot.index;
  const auto entries = rows.entries();
  const format::IndexHeader header{.level = rows.keeps_filters() ? format::IndexLevel::flow : format::IndexLevel::time,
                                   .file_bytes = slot.length,
                                   .packets = slot.tally.packets,
                                   .bytes = slot.tally.bytes,
                                   .first = slot.first,
                                   .last = entries.empty() ? slot.first : entries.back().last,
                                   .block_bytes = options_.block_bytes,
                                   .capture_mark = format::capture_mark(options_.capture_start)};
  (void)storage::write_small_file(directory_, format::index_file_name(name),
                                  format::encode_index(header, entries, {rows.lines(), rows.filters()}));
}

}  // namespace wirespool::spool

// SPDX-License-Identifier: BSD-3-Clause
#include "record/live_teller.hpp"

#include <algorithm>
#include <utility>

#include "format/file_name.hpp"
#include "storage/small_file.hpp"

namespace wirespool::record {
namespace {

// Loaded against the order in which a writer stores them, so that they fit each other.
format::OpenFile told(const FileSlot& slot) {
  format::OpenFile file;
  file.record_at = slot.record_at.load(std::memory_order_acquire);
  file.stored_bytes = slot.stored_bytes.load(std::memory_order_acquire);
  file.stored_packets = slot.stored.load(std::memory_order_acquire);
  file.name = slot.file->hidden_name();
  file.inode = slot.inode;
  file.writer = slot.writer;
  file.lane = slot.lane;
  return file;
}

bool is_open(const FileSlot& slot) {
  const auto state = slot.state.load(std::memory_order_acquire);
  return state == FileSlot::State::open || state == FileSlot::State::sealing;
}

}  // namespace

LiveTeller::LiveTeller(const storage::Directory& directory, const std::string& stem, Timestamp start,
                       std::uint64_t flush_age_ns)
    : directory_(directory), name_(format::live_file_name(stem)) {
  live_.start = start;
  live_.flush_age_ns = flush_age_ns;
}

std::expected<void, storage::IoError> LiveTeller::tell(std::span<FileSlot* const> slots) {
  const bool changed = look(slots);
  if (over_ || !(changed || changed_)) return {};
  changed_ = false;
  auto done = write(slots.size());
  if (const bool told = std::exchange(refused_, !done); told) return {};
  return done;
}

// Whether anything is otherwise than it was told.
bool LiveTeller::look(std::span<FileSlot* const> slots) {
  seen_.clear();
  for (const auto* slot : slots) {
    if (!is_open(*slot) || slot->stored_bytes.load(std::memory_order_relaxed) == 0) continue;
    seen_.push_back(told(*slot));
  }
  const bool changed = seen_ != live_.files;
  live_.files.swap(seen_);
  return changed;
}

// Whoever has the file of an earlier capture open keeps that one.
std::expected<void, storage::IoError> LiveTeller::write(std::size_t most_files) {
  auto bytes = format::encode_live_file(live_);
  if (!file_) {
    storage::remove_marker(directory_, name_);
    auto file = storage::DirectFile::create(directory_, name_, storage::DirectFile::Mode::buffered);
    if (!file) return std::unexpected(std::move(file.error()));
    file_.emplace(std::move(*file));
    bytes.resize(std::max(bytes.size(), format::live_file_bytes(most_files)));  // later the drive may be full
  }
  return file_->write(0, bytes);
}

void LiveTeller::sealed(std::uint64_t bytes) noexcept {
  live_.sealed_files += 1;
  live_.sealed_bytes += bytes;
  changed_ = true;
}

void LiveTeller::let_go() noexcept {
  file_.reset();
  refused_ = false;
  changed_ = true;
}

void LiveTeller::end() noexcept {
  if (file_) (void)file_->discard();  // one that stays is known to be over: nobody holds it any more
  file_.reset();
  over_ = true;
}

}  // namespace wirespool::record

// SPDX-License-Identifier: BSD-3-Clause
#include "record/lane_files.hpp"

#include <algorithm>

#include "policy/patience.hpp"

namespace wirespool::record {

void LaneFiles::open_ahead() noexcept {
  ask_for(current());
  ask_for(next());
}

bool LaneFiles::ready(std::uint32_t number) noexcept {
  if (number != number_) return false;  // the file before it is not sealed yet
  FileSlot& slot = current();
  switch (slot.state.load(std::memory_order_acquire)) {
    case FileSlot::State::open:
      return slot.trim_to.load(std::memory_order_acquire) == FileSlot::nothing;
    case FileSlot::State::idle:
      ask_for(slot);
      return false;
    case FileSlot::State::refused:
      take_refusal(slot);
      return false;
    default:
      return false;
  }
}

// It may have been refused long before it was needed: what may pass is asked for once more.
void LaneFiles::take_refusal(FileSlot& slot) noexcept {
  if (policy::may_pass(slot.error.code) && !slot.asked_again) {
    slot.asked_again = true;
    slot.refusals = 0;
    slot.state.store(FileSlot::State::wanted, std::memory_order_release);
    drive_->keeper->wake();
    return;
  }
  drive_->drive->fail(slot.error.code, slot.error.what);
  slot.state.store(FileSlot::State::idle, std::memory_order_relaxed);
}

void LaneFiles::ask_for(FileSlot& slot) noexcept {
  if (slot.state.load(std::memory_order_acquire) != FileSlot::State::idle) return;
  slot.begin(writer_->writer, writer_->next_hidden++);
  slot.state.store(FileSlot::State::wanted, std::memory_order_release);
  drive_->keeper->wake();
}

// Keeps a busy file preallocated ahead of its writes. One that was flushed by tails is not busy.
void LaneFiles::grow_ahead(const Block& block) noexcept {
  FileSlot& slot = current();
  const auto ahead = writer_->grow_bytes;
  if (ahead == 0 || block.last_of_file || block.write.flushed().length ||
      slot.cannot_preallocate.load(std::memory_order_relaxed))
    return;
  const auto wanted = slot.wanted_bytes.load(std::memory_order_relaxed);
  if (wanted != slot.allocated_bytes.load(std::memory_order_acquire)) return;
  const auto end = block.offset + block.capacity;
  const auto target = std::min(writer_->rotation.size_bytes, end + ahead);
  if (wanted >= target || end + ahead / 2 < wanted) return;
  slot.wanted_bytes.store(target, std::memory_order_release);
  drive_->keeper->wake();
}

void LaneFiles::stored(Timestamp first, Timestamp last, Tally stored, std::uint64_t end,
                       std::uint64_t record_at) noexcept {
  FileSlot& slot = current();
  if (slot.first.ns == 0) slot.first = first;
  slot.last = std::max(slot.last, last);
  slot.tally.packets += stored.packets;
  slot.tally.bytes += stored.bytes;
  slot.stored.store(slot.tally.packets, std::memory_order_release);
  slot.stored_bytes.store(end, std::memory_order_release);
  if (record_at != 0) slot.record_at.store(record_at, std::memory_order_release);
}

// The file is to end with its last whole record: whoever reads it, hidden as it is, finds what was received. The keeper
// cuts it, for that waits for the file system.
void LaneFiles::trim_behind_tail(std::uint64_t length) noexcept {
  FileSlot& slot = current();
  if (slot.wanted_bytes.load(std::memory_order_relaxed) != slot.allocated_bytes.load(std::memory_order_acquire)) return;
  slot.trim_to.store(length, std::memory_order_release);
  drive_->keeper->wake();
}

void LaneFiles::cut_before(const Block& block) noexcept {
  if (cut_) return;
  const Tail& flushed = block.write.flushed();
  cut_ = flushed.length ? block.offset + flushed.length : block.offset - block.continued;
  // The cut goes through a Block that has a row, or through one that began a record: rows would have to be cut too.
  if (flushed.tally.packets || block.continued) current().index_complete = false;
}

void LaneFiles::end(std::uint64_t length) noexcept {
  FileSlot& slot = current();
  if (slot.state.load(std::memory_order_acquire) == FileSlot::State::open && !left_) {
    slot.length = cut_.value_or(length);
    if (slot.tally.packets) {
      slot.sequence = writer_->next_sequence++;
      drive_->counters->files.add(1);
    }
    slot.state.store(FileSlot::State::sealing, std::memory_order_release);
    drive_->keeper->wake();
  }
  number_ += 1;
  slot_ = (slot_ + 1) % slots_.size();
  cut_.reset();
  if (drive_->drive->ok() && !writer_->finishing) ask_for(next());
}

bool LaneFiles::let_go() noexcept {
  bool all = !left_;
  for (auto& slot : slots_) {
    const auto state = slot.state.load(std::memory_order_acquire);
    if (state == FileSlot::State::refused) {
      slot.state.store(FileSlot::State::idle, std::memory_order_relaxed);
    } else if (state == FileSlot::State::open && !left_) {
      slot.state.store(FileSlot::State::sealing, std::memory_order_release);  // without a packet: it is removed
      drive_->keeper->wake();
    }
    all &= slot.state.load(std::memory_order_acquire) == FileSlot::State::idle;
  }
  return all;
}

void LaneFiles::discard_unused() {
  if (left_ || !drive_->keeper->ended()) return;  // would hang as well
  for (auto& slot : slots_) {
    if (slot.state.load(std::memory_order_acquire) != FileSlot::State::open || slot.tally.packets) continue;
    if (auto done = slot.file->discard(); !done)
      drive_->drive->complain(done.error().message() + ": an empty file is left there");
    slot.file.reset();
    slot.state.store(FileSlot::State::idle, std::memory_order_relaxed);
  }
}

}  // namespace wirespool::record

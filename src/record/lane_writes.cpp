// SPDX-License-Identifier: BSD-3-Clause
#include "record/lane_writes.hpp"

#include <cerrno>
#include <utility>

#include "storage/steady_time.hpp"

namespace wirespool::record {

using storage::steady_ns;

void LaneWrites::take_full(Block& block) noexcept {
  tail_wanted_ = {};  // this write covers it
  tail_block_ = nullptr;
  block.write.filled();
  blocks_.push(block);
  drive_->drive->loaded();
}

void LaneWrites::take_tail(Block& block, Tail tail) noexcept {
  tail_block_ = &block;
  tail_wanted_ = tail;
}

// A tail only with nothing in front of it, so that what it stores is stored in file order.
bool LaneWrites::submit(LaneFiles& files) noexcept {
  if (blocks_.empty() && !tail_due()) return false;
  if (!drive_->drive->ok() || gave_up_ || files.is_cut()) return false;
  if (blocks_.empty()) return submit_tail(files);
  bool worked = false;
  for (Block* block = blocks_.front(); block; block = BlockList::behind(*block)) {
    if (!block->write.waits()) continue;
    if (!submit_block(*block, files)) {
      if (drive_->inflight == depth_) drive_->counters->waits.add(1);
      break;
    }
    worked = true;
  }
  return worked;
}

bool LaneWrites::has_room(LaneFiles& files, std::uint32_t file) const noexcept {
  return drive_->inflight != depth_ && files.ready(file);
}

std::uint32_t LaneWrites::whole_units(std::uint32_t bytes) const noexcept {
  const auto unit = drive_->drive->block_bytes();
  return (bytes + unit - 1) / unit * unit;
}

bool LaneWrites::submit_block(Block& block, LaneFiles& files) noexcept {
  if (tail_inflight() || !has_room(files, block.file.number)) return false;
  const auto done = block.write.done_bytes();
  const auto now = steady_ns();
  if (!queue_->submit({files.fd(), block.data + done, whole_units(block.length) - done, block.offset + done,
                       WriteTag::of(block, false)}))
    return false;
  block.write.began(now);
  inflight_ += 1;
  drive_->write_began();
  files.grow_ahead(block);
  return true;
}

bool LaneWrites::submit_tail(LaneFiles& files) noexcept {
  Block& block = *tail_block_;
  if (!has_room(files, block.file.number)) return false;
  const auto now = steady_ns();
  if (!queue_->submit(
          {files.fd(), block.data, whole_units(tail_wanted_.length), block.offset, WriteTag::of(block, true)}))
    return false;
  block.write.tail_began(now);
  tail_flying_ = std::exchange(tail_wanted_, {});
  flying_block_ = &block;
  inflight_ += 1;
  drive_->write_began();
  return true;
}

void LaneWrites::finished(Block& block, std::int32_t result) noexcept {
  if (block.write.abandoned()) return;
  if (result == -EAGAIN || result == -EINTR) {
    block.write.put_off();
    ended(0);
    return try_again(-result);
  }
  const std::uint32_t unit = drive_->drive->block_bytes();
  const std::uint32_t progress = result > 0 ? static_cast<std::uint32_t>(result) / unit * unit : 0;
  ended(progress);
  if (progress == 0) {
    block.write.failed();
    gave_up_ = true;
    return drive_->drive->fail(result < 0 ? -result : EIO, "writing");
  }
  patience_.went_on();
  block.write.went_on(progress, block.length);
  if (!block.write.complete()) return;
  drive_->counters->blocks.add(1);
  drive_->counters->write_latency.add(steady_ns() - block.write.began_ns());
}

Tail LaneWrites::finished_tail(Block& block, std::int32_t result) noexcept {
  if (block.write.abandoned()) return {};
  const Tail tail = std::exchange(tail_flying_, {});
  const bool whole = result >= static_cast<std::int32_t>(tail.length);
  ended(whole ? static_cast<std::uint64_t>(result) : 0);
  if (whole) {
    patience_.went_on();
    return tail;
  }
  if (result < 0 && result != -EAGAIN && result != -EINTR) {
    drive_->drive->fail(-result, "writing");
    return {};
  }
  if (blocks_.empty() && tail_wanted_.length == 0) tail_wanted_ = tail;  // once more
  try_again(result < 0 ? -result : EIO);
  return {};
}

void LaneWrites::ended(std::uint64_t bytes) noexcept {
  inflight_ -= 1;
  drive_->write_ended(bytes);
}

// A drive may ask for patience, but not for ever: its Blocks would never come back and the capture never end.
void LaneWrites::try_again(int error) noexcept {
  if (patience_.ends_at(steady_ns())) drive_->drive->fail(error, "writing, again and again");
}

Block* LaneWrites::take_complete() noexcept {
  return !blocks_.empty() && blocks_.front()->write.complete() ? &blocks_.pop() : nullptr;
}

Block* LaneWrites::take_lost(const LaneFiles& files) noexcept {
  if (blocks_.empty() || inflight_ != 0) return nullptr;
  if (drive_->drive->ok() && !gave_up_ && !files.is_cut()) return nullptr;
  gave_up_ = false;  // from here on the file is cut
  return &blocks_.pop();
}

std::uint64_t LaneWrites::held() const noexcept {
  std::uint64_t held = 0;
  for (const Block* block = blocks_.front(); block; block = BlockList::behind(*block)) held += block->unflushed();
  if (tail_block_) held -= tail_block_->write.flushed().tally.packets;
  return held;
}

bool LaneWrites::hang(std::uint64_t longest_ns) const noexcept {
  if (longest_ns == 0) return !blocks_.empty() || inflight_ != 0;
  const auto since = steady_ns() - longest_ns;
  if (tail_inflight() && flying_block_->write.began_ns() <= since) return true;
  for (const Block* block = blocks_.front(); block; block = BlockList::behind(*block))
    if (block->write.inflight() && block->write.began_ns() <= since) return true;
  return false;
}

void LaneWrites::abandon() noexcept {
  for (Block* block = blocks_.front(); block; block = BlockList::behind(*block))
    if (block->write.inflight()) block->write.abandon();
  if (tail_inflight()) flying_block_->write.abandon();
  tail_flying_ = {};
  inflight_ = 0;
}

}  // namespace wirespool::record

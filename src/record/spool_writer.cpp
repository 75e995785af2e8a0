// SPDX-License-Identifier: BSD-3-Clause
#include "record/spool_writer.hpp"

#include <algorithm>
#include <utility>

#include "policy/striping.hpp"
#include "policy/writer_shape.hpp"
#include "storage/steady_time.hpp"

namespace wirespool::record {

using storage::steady_ns;

namespace {

// A write's tag is the address of its Block, with this bit set for the tail of a lane's open Block.
constexpr std::uint64_t tail_bit = 1;

std::uint32_t round_up(std::uint32_t bytes, std::uint32_t unit) { return (bytes + unit - 1) / unit * unit; }

Tally operator-(Tally a, Tally b) { return {a.packets - b.packets, a.bytes - b.bytes}; }

}  // namespace

// What one Stream's Appender sees of the writer. The re-homed packets' port may take the last Blocks.
class SpoolWriter::Port final : public BlockPort {
 public:
  Port(SpoolWriter& writer, std::size_t reserve) : writer_(writer), reserve_(reserve) {}

  Block* get() noexcept override { return available() ? writer_.pool_.get() : nullptr; }

  std::size_t available() const noexcept override {
    if (reserve_ && !writer_.rehoming_.empty()) return 0;
    const auto free = writer_.pool_.available();
    return free > reserve_ ? free - reserve_ : 0;
  }

  void take_full(Block& block) noexcept override { writer_.take_full(block); }
  bool take_tail(Block& block) noexcept override {
    writer_.take_tail(block, {block.length, block.tally});
    return true;
  }

  std::span<const std::uint32_t> loads() noexcept override {
    for (std::size_t i = 0; i < writer_.drives_.size(); ++i) {
      const Drive& drive = *writer_.drives_[i].drive;
      writer_.loads_[i] = drive.ok() ? drive.load() : policy::unusable;
    }
    return writer_.loads_;
  }
  std::uint32_t renewals(std::size_t drive) const noexcept override { return writer_.drives_[drive].drive->renewals(); }

 private:
  SpoolWriter& writer_;
  std::size_t reserve_;
};

SpoolWriter::SpoolWriter(const SpoolWriterOptions& options, std::vector<WriterDrive> drives, std::span<FileSlot> slots,
                         BlockPool& pool, storage::IoQueue& queue, stats::WriterCounters& counters)
    : options_(options),
      drives_(std::move(drives)),
      lanes_(lanes(options.streams, drives_.size())),
      pool_(pool),
      queue_(queue),
      counters_(counters),
      loads_(drives_.size()),
      inflight_(drives_.size()) {
  const std::size_t rows =
      policy::index_rows(options.rotation.size_bytes, options.block_bytes, format::max_open_index_entries);
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i].drive = static_cast<std::uint32_t>(i % drives_.size());
    lanes_[i].patience = policy::Patience(options.patience_ns);
    lanes_[i].slots = slots.subspan(i * slots_per_lane, slots_per_lane);
    for (auto& slot : lanes_[i].slots) slot.index.take_memory(rows, options.filter_bytes);
  }
  if (options.filter_bytes > 0) keys_ = std::vector<BlockKeys>(lanes_.size());
  for (std::uint32_t stream = 0; stream < options.streams; ++stream)
    ports_.push_back(std::make_unique<Port>(*this, reserve(drives_.size())));
  ports_.push_back(std::make_unique<Port>(*this, 0));
  rehome_appender_ = std::make_unique<Appender>(AppenderOptions{.first_lane = first_lane(options.streams),
                                                                .drives = static_cast<std::uint32_t>(drives_.size()),
                                                                .layout = options.layout,
                                                                .block_bytes = options.block_bytes,
                                                                .flush_age_ns = options.flush_age_ns,
                                                                .rotation = options.rotation},
                                                *ports_.back());
}

SpoolWriter::~SpoolWriter() = default;

BlockPort& SpoolWriter::port(std::uint32_t stream) { return *ports_[stream]; }

Block* SpoolWriter::get_for_stream() noexcept { return ports_.front()->get(); }

void SpoolWriter::open_first_files() {
  for (std::size_t i = 0; i < options_.streams * drives_.size(); ++i) {
    ask_for_file(lanes_[i].file(), lanes_[i]);
    ask_for_file(lanes_[i].next_file(), lanes_[i]);
  }
}

bool SpoolWriter::any_drive() const noexcept {
  return std::any_of(drives_.begin(), drives_.end(), [](const auto& drive) { return drive.drive->ok(); });
}

std::int64_t SpoolWriter::held() const noexcept {
  std::uint64_t held = rehoming_.packets();
  for (const auto& lane : lanes_) {
    for (const Block* block = lane.first; block; block = block->next)
      held += block->tally.packets - block->flushed.tally.packets;
    if (lane.tail_block) held -= lane.tail_block->flushed.tally.packets;
  }
  return static_cast<std::int64_t>(held) + rehome_appender_->held();
}

void SpoolWriter::tick(Timestamp now) noexcept { rehome_appender_->tick(now); }

bool SpoolWriter::poll() noexcept {
  bool worked = reap_writes();
  for (auto& lane : lanes_) worked |= lane.first && retire(lane);
  worked |= !rehoming_.empty() && rehome();
  worked |= submit_writes();
  if (finishing_ && rehoming_.empty()) rehome_appender_->finish();
  return worked;
}

// ---- Blocks in

void SpoolWriter::take_full(Block& block) noexcept {
  Lane& lane = lane_of(block);
  lane.tail_wanted = {};  // this write covers it
  lane.tail_block = nullptr;
  if (block.state != Block::State::abandoned) block.state = Block::State::waiting;
  lane.push(block);
  drive_of(lane).drive->loaded();
}

void SpoolWriter::take_tail(Block& block, Tail tail) noexcept {
  Lane& lane = lane_of(block);
  lane.tail_block = &block;
  lane.tail_wanted = tail;
}

// ---- to drives

bool SpoolWriter::submit_writes() noexcept {
  bool worked = false;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[(turn_ + i) % lanes_.size()];
    if (!lane.first && !lane.tail_due()) continue;
    if (drive_of(lane).drive->ok()) worked |= submit_from(lane);
  }
  turn_ = (turn_ + 1) % lanes_.size();
  return worked;
}

bool SpoolWriter::submit_from(Lane& lane) noexcept {
  if (!lane.first) return submit_tail(lane);
  bool worked = false;
  for (Block* block = lane.first; block; block = block->next) {
    if (block->state != Block::State::waiting) continue;
    if (!submit_block(lane, *block)) break;
    worked = true;
  }
  return worked;
}

bool SpoolWriter::submit_block(Lane& lane, Block& block) noexcept {
  if (lane.tail_inflight() || inflight_[lane.drive] == options_.depth || !have_file(lane, block.file.number))
    return false;
  const WriterDrive& drive = drive_of(lane);
  const std::uint32_t bytes = round_up(block.length, drive.drive->block_bytes());
  const storage::WriteRequest request{lane.file().file->fd(), block.data + block.written, bytes - block.written,
                                      block.offset + block.written, reinterpret_cast<std::uint64_t>(&block)};
  block.submitted_ns = steady_ns();
  if (!queue_.submit(request)) return false;
  block.state = Block::State::inflight;
  lane.inflight += 1;
  drive.counters->inflight.set(++inflight_[lane.drive]);
  grow_ahead(lane, block);
  return true;
}

// The open Block of an idle lane. Only with nothing in front of it, so that what it stores is stored in file order.
bool SpoolWriter::submit_tail(Lane& lane) noexcept {
  Block& block = *lane.tail_block;
  if (inflight_[lane.drive] == options_.depth || !have_file(lane, block.file.number)) return false;
  const WriterDrive& drive = drive_of(lane);
  const storage::WriteRequest request{lane.file().file->fd(), block.data,
                                      round_up(lane.tail_wanted.length, drive.drive->block_bytes()), block.offset,
                                      reinterpret_cast<std::uint64_t>(&block) | tail_bit};
  block.submitted_ns = steady_ns();
  if (!queue_.submit(request)) return false;
  lane.tail_flying = std::exchange(lane.tail_wanted, {});
  lane.flying_block = &block;
  lane.inflight += 1;
  drive.counters->inflight.set(++inflight_[lane.drive]);
  return true;
}

bool SpoolWriter::have_file(Lane& lane, std::uint32_t number) noexcept {
  if (number != lane.number) return false;  // the file before it is not sealed yet
  FileSlot& slot = lane.file();
  switch (slot.state.load(std::memory_order_acquire)) {
    case FileSlot::State::open:
      return slot.trim_to.load(std::memory_order_acquire) == FileSlot::nothing;
    case FileSlot::State::idle:
      ask_for_file(slot, lane);
      return false;
    case FileSlot::State::refused:
      take_refusal(lane, slot);
      return false;
    default:
      return false;
  }
}

// It may have been refused long before it was needed: what may pass is asked for once more.
void SpoolWriter::take_refusal(Lane& lane, FileSlot& slot) noexcept {
  if (policy::may_pass(slot.error.code) && !slot.asked_again) {
    slot.asked_again = true;
    slot.refusals = 0;
    slot.state.store(FileSlot::State::wanted, std::memory_order_release);
    drive_of(lane).keeper->wake();
    return;
  }
  fail(lane, slot.error.code, slot.error.what.c_str());
  slot.state.store(FileSlot::State::idle, std::memory_order_relaxed);
}

void SpoolWriter::ask_for_file(FileSlot& slot, const Lane& lane) noexcept {
  if (slot.state.load(std::memory_order_acquire) != FileSlot::State::idle) return;
  slot.writer = options_.writer;
  slot.hidden_number = next_hidden_++;
  slot.tally = {};
  slot.stored.store(0, std::memory_order_relaxed);
  slot.first = {};
  slot.index.clear();
  slot.index_complete = true;
  slot.refusals = 0;
  slot.next_try = {};
  slot.asked_again = false;
  slot.state.store(FileSlot::State::wanted, std::memory_order_release);
  drives_[lane.drive].keeper->wake();
}

// Keeps a busy file preallocated ahead of its writes. One that was flushed by tails is not busy.
void SpoolWriter::grow_ahead(Lane& lane, const Block& block) noexcept {
  FileSlot& slot = lane.file();
  if (options_.grow_bytes == 0 || block.last_of_file || block.flushed.length ||
      slot.cannot_preallocate.load(std::memory_order_relaxed))
    return;
  const auto wanted = slot.wanted_bytes.load(std::memory_order_relaxed);
  if (wanted != slot.allocated_bytes.load(std::memory_order_acquire)) return;
  const auto end = block.offset + block.capacity;
  const auto target = std::min(options_.rotation.size_bytes, end + options_.grow_bytes);
  if (wanted >= target || end + options_.grow_bytes / 2 < wanted) return;
  slot.wanted_bytes.store(target, std::memory_order_release);
  drive_of(lane).keeper->wake();
}

// ---- and back

bool SpoolWriter::reap_writes() noexcept {
  std::array<storage::WriteResult, 32> results;
  const auto count = queue_.reap(results);
  for (const auto& result : std::span(results).first(count)) {
    Block& block = *reinterpret_cast<Block*>(result.tag & ~tail_bit);
    if (result.tag & tail_bit)
      finished_tail(block, result.result);
    else
      finished(block, result.result);
  }
  return count != 0;
}

void SpoolWriter::finished(Block& block, std::int32_t result) noexcept {
  if (block.state == Block::State::abandoned) return;
  Lane& lane = lane_of(block);
  const std::uint32_t unit = drive_of(lane).drive->block_bytes();
  block.state = Block::State::waiting;  // unless this was the end of it: a short write goes on where it stopped
  if (result == -EAGAIN || result == -EINTR) {
    ended_write(lane, 0);
    try_again(lane, -result);
    return;
  }
  const std::uint32_t progress = result > 0 ? static_cast<std::uint32_t>(result) / unit * unit : 0;
  block.written += progress;
  if (progress) lane.patience.went_on();
  ended_write(lane, progress);
  if (progress == 0) {
    block.state = Block::State::failed;
    fail(lane, result < 0 ? -result : EIO, "writing");
  } else if (block.written >= block.length) {
    block.state = Block::State::complete;
    drive_of(lane).counters->blocks.add(1);
    drive_of(lane).counters->write_latency.add(steady_ns() - block.submitted_ns);
  }
}

void SpoolWriter::finished_tail(Block& block, std::int32_t result) noexcept {
  if (block.state == Block::State::abandoned) return;
  Lane& lane = lane_of(block);
  const Tail tail = std::exchange(lane.tail_flying, {});
  const bool whole = result >= static_cast<std::int32_t>(tail.length);
  ended_write(lane, whole ? static_cast<std::uint64_t>(result) : 0);
  if (whole) {
    lane.patience.went_on();
    return note_flushed(lane, block, tail);
  }
  if (result < 0 && result != -EAGAIN && result != -EINTR) return fail(lane, -result, "writing");
  if (!lane.first && lane.tail_wanted.length == 0) lane.tail_wanted = tail;  // once more
  try_again(lane, result < 0 ? -result : EIO);
}

// The file is to end with its last whole record: whoever reads it, hidden as it is, finds what was received. The keeper
// cuts it, for that waits for the file system.
void SpoolWriter::note_flushed(Lane& lane, Block& block, Tail tail) noexcept {
  FileSlot& slot = lane.file();
  if (slot.first.ns == 0) slot.first = block.first;
  count_stored(lane, tail.tally - block.flushed.tally);
  block.flushed = tail;
  if (slot.wanted_bytes.load(std::memory_order_relaxed) != slot.allocated_bytes.load(std::memory_order_acquire)) return;
  slot.trim_to.store(block.offset + block.flushed.length, std::memory_order_release);
  drive_of(lane).keeper->wake();
}

void SpoolWriter::ended_write(Lane& lane, std::uint64_t bytes) noexcept {
  lane.inflight -= 1;
  const WriterDrive& drive = drive_of(lane);
  drive.counters->inflight.set(--inflight_[lane.drive]);
  drive.counters->bytes.add(bytes);
}

// Takes what can be taken off the front of the lane.
bool SpoolWriter::retire(Lane& lane) noexcept {
  bool worked = false;
  while (lane.first && lane.first->state == Block::State::complete && !lane.cut_known) {
    retire_stored(lane, lane.pop());
    worked = true;
  }
  if (drive_of(lane).drive->ok() || lane.inflight) return worked;
  while (lane.first) {
    retire_lost(lane, lane.pop());
    worked = true;
  }
  return worked;
}

void SpoolWriter::retire_stored(Lane& lane, Block& block) noexcept {
  FileSlot& slot = lane.file();
  if (slot.first.ns == 0) slot.first = block.first;
  add_index_row(lane, block);
  count_stored(lane, block.tally - block.flushed.tally);
  drive_of(lane).drive->unloaded();
  if (block.last_of_file) seal(lane, block.offset + block.length);
  pool_.put(block);
}

// The drive is gone, nothing is in flight: the file ends before the first Block that is not on it.
void SpoolWriter::retire_lost(Lane& lane, Block& block) noexcept {
  if (!lane.cut_known) {
    lane.cut = block.flushed.length ? block.offset + block.flushed.length : block.offset - block.continued;
    lane.cut_known = true;
    // The cut goes through a Block that has a row, or through one that began a record: rows would have to be cut too.
    if (block.flushed.tally.packets || block.continued) lane.file().index_complete = false;
  }
  drive_of(lane).drive->unloaded();
  const bool last = block.last_of_file;
  rehoming_.push(block);
  if (last) seal(lane, lane.cut);
}

void SpoolWriter::count_stored(Lane& lane, Tally stored) noexcept {
  FileSlot& slot = lane.file();
  slot.tally.packets += stored.packets;
  slot.tally.bytes += stored.bytes;
  slot.stored.store(slot.tally.packets, std::memory_order_release);
  counters_.stored.add(stored.packets);
  counters_.stored_bytes.add(stored.bytes);
}

void SpoolWriter::add_index_row(Lane& lane, const Block& block) noexcept {
  BlockKeys* const keys = keys_of(lane);
  if (keys) keys->finish_record(block);
  if (block.starts == 0) return;
  IndexRows& rows = lane.file().index;
  if (keys) keys->end_row(rows);
  rows.add({block.offset + block.first_start, block.first, block.last, block.starts, 0});
  if (keys) keys->begin_row(block);
}

// Hands the file to its keeper and turns to the next one, which is asked to be ready.
void SpoolWriter::seal(Lane& lane, std::uint64_t length) noexcept {
  FileSlot& slot = lane.file();
  if (auto* const keys = keys_of(lane)) keys->end_row(slot.index);
  if (slot.state.load(std::memory_order_acquire) == FileSlot::State::open && !lane.given_up) {
    slot.length = length;
    if (slot.tally.packets) {
      slot.sequence = next_sequence_++;
      drive_of(lane).counters->files.add(1);
    }
    slot.state.store(FileSlot::State::sealing, std::memory_order_release);
    drive_of(lane).keeper->wake();
  }
  lane.next_number();
  if (drive_of(lane).drive->ok() && !finishing_) ask_for_file(lane.next_file(), lane);
}

// A drive may ask for patience, but not for ever: its Blocks would never come back and the capture never end.
void SpoolWriter::try_again(Lane& lane, int error) noexcept {
  if (lane.patience.ends_at(steady_ns())) fail(lane, error, "writing, again and again");
}

void SpoolWriter::fail(Lane& lane, int error, const char* doing) noexcept { drive_of(lane).drive->fail(error, doing); }

// Appends the records of lost Blocks again. Without any drive they are lost.
bool SpoolWriter::rehome() noexcept {
  Block& block = rehoming_.front();
  BlockRecords& records = rehoming_.records();
  const auto left = [&] { return block.tally.packets - block.flushed.tally.packets - records.passed(); };
  while (any_drive()) {
    const auto packets = records.peek();
    if (packets.empty()) break;
    const auto done = rehome_appender_->append(packets);
    records.advance(done);
    counters_.rehomed.add(done);
    if (done < packets.size()) return done != 0;
  }
  counters_.drop_drive.add(left());
  rehoming_.pop();
  put_back(block);
  return true;
}

void SpoolWriter::put_back(Block& block) noexcept {
  if (block.state == Block::State::abandoned)
    ++abandoned_;
  else
    pool_.put(block);
}

// ---- what hangs

void SpoolWriter::give_up(std::uint64_t longest_ns) noexcept {
  for (auto& lane : lanes_) {
    if (!drive_of(lane).drive->ok() || !hangs(lane, longest_ns)) continue;
    fail(lane, ETIMEDOUT, "writing: it hangs at the stop");
  }
  for (auto& lane : lanes_)
    if (!drive_of(lane).drive->ok() && hangs(lane, longest_ns)) abandon(lane);
}

bool SpoolWriter::hangs(const Lane& lane, std::uint64_t longest_ns) const noexcept {
  if (longest_ns == 0) return lane.first || lane.inflight;
  const auto since = steady_ns() - longest_ns;
  if (lane.tail_inflight() && lane.flying_block->submitted_ns <= since) return true;
  for (const Block* block = lane.first; block; block = block->next)
    if (block->state == Block::State::inflight && block->submitted_ns <= since) return true;
  return false;
}

// retire() then finds nothing under way, and all that is left of the lane is lost to it.
void SpoolWriter::abandon(Lane& lane) noexcept {
  lane.given_up = true;
  for (Block* block = lane.first; block; block = block->next)
    if (block->state == Block::State::inflight) block->state = Block::State::abandoned;
  if (lane.tail_inflight()) lane.flying_block->state = Block::State::abandoned;
  lane.tail_flying = {};
  lane.inflight = 0;
}

void SpoolWriter::discard_unused_files() {
  for (auto& lane : lanes_) {
    if (lane.given_up || !drive_of(lane).keeper->ended()) continue;  // would hang as well
    for (auto& slot : lane.slots) {
      if (slot.state.load(std::memory_order_acquire) != FileSlot::State::open || slot.tally.packets) continue;
      if (auto done = slot.file->discard(); !done)
        drive_of(lane).drive->complain(done.error().message() + ": an empty file is left there");
      slot.file.reset();
      slot.state.store(FileSlot::State::idle, std::memory_order_relaxed);
    }
  }
}

}  // namespace wirespool::record

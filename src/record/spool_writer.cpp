// SPDX-License-Identifier: BSD-3-Clause
#include "record/spool_writer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "policy/placement.hpp"

namespace wirespool::record {
namespace {

Tally operator-(Tally a, Tally b) { return {a.packets - b.packets, a.bytes - b.bytes}; }

}  // namespace

// What one Stream's Appender sees of the writer. The re-homed packets' dock may take the last Blocks.
class SpoolWriter::Dock final : public BlockDock {
 public:
  Dock(SpoolWriter& writer, std::size_t reserve) : writer_(writer), reserve_(reserve) {}

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
                         std::vector<BlockListener*> listeners, BlockPool& pool, storage::IoQueue& queue,
                         stats::WriterCounters& counters)
    : shape_(options.shape),
      layout_(*options.layout),
      files_{.writer = options.writer, .grow_bytes = options.grow_bytes, .rotation = options.rotation},
      drives_(std::move(drives)),
      listeners_(std::move(listeners)),
      pool_(pool),
      queue_(queue),
      counters_(counters),
      checksums_(options.checksums),
      loads_(drives_.size()) {
  for (std::uint32_t i = 0; i < shape_.lanes(); ++i) {
    WriterDrive& drive = drives_[i % drives_.size()];
    const auto own = slots.subspan(i * shape_.files_per_lane, shape_.files_per_lane);
    for (auto& slot : own) slot.lane = i;
    lanes_.push_back({.files = {files_, drive, own},
                      .writes = {drive, queue_, options.depth, options.patience_ns},
                      .drive = &drive,
                      .number = i});
  }
  for (std::uint32_t stream = 0; stream < shape_.streams; ++stream)
    docks_.push_back(std::make_unique<Dock>(*this, shape_.reserve()));
  docks_.push_back(std::make_unique<Dock>(*this, 0));
  rehome_appender_ =
      std::make_unique<Appender>(AppenderOptions{.first_lane = shape_.open_lanes(),
                                                 .drives = shape_.drives,
                                                 .layout = options.layout,
                                                 .block_bytes = static_cast<std::uint32_t>(shape_.block_bytes),
                                                 .flush_age_ns = options.flush_age_ns,
                                                 .rotation = options.rotation},
                                 *docks_.back());
  for (std::uint32_t i = 0; i < shape_.open_lanes(); ++i) lanes_[i].files.open_ahead();
}

SpoolWriter::~SpoolWriter() = default;

BlockDock& SpoolWriter::dock(std::uint32_t stream) noexcept { return *docks_[stream]; }

Block* SpoolWriter::get_for_stream() noexcept { return docks_.front()->get(); }

void SpoolWriter::take_full(Block& block) noexcept {
  if (checksums_) block.sum_up();
  begun(block).writes.take_full(block);
}

bool SpoolWriter::takes_packets() const noexcept {
  return std::any_of(drives_.begin(), drives_.end(), [](const auto& drive) { return drive.drive->ok(); });
}

std::int64_t SpoolWriter::held() const noexcept {
  std::uint64_t held = rehoming_.packets();
  for (const auto& lane : lanes_) held += lane.writes.held();
  return static_cast<std::int64_t>(held) + rehome_appender_->held();
}

void SpoolWriter::tick(Timestamp now) noexcept {
  rehome_appender_->tick(now);
  for (auto& drive : drives_) look_at(drive);
}

// Lets go of a drive that has failed, once for each failure, and opens files ahead on one that is back.
void SpoolWriter::look_at(WriterDrive& drive) noexcept {
  if (drive.drive->ok()) {
    if (!std::exchange(drive.away, false) || files_.finishing) return;
    for (std::uint32_t i = 0; i < shape_.open_lanes(); ++i)
      if (lanes_[i].drive == &drive) lanes_[i].files.open_ahead();
    return;
  }
  const auto failure = drive.drive->failures();
  if (drive.let_go_after == failure || !let_go(drive)) return;
  drive.let_go_after = failure;
  drive.away = true;
  drive.drive->let_go();
}

bool SpoolWriter::let_go(const WriterDrive& drive) noexcept {
  bool all = true;
  for (auto& lane : lanes_) {
    if (lane.drive != &drive) continue;
    all &= lane.files.ended() >= lane.begun_until && lane.writes.empty() && lane.files.let_go();
  }
  return all;
}

bool SpoolWriter::poll() noexcept {
  bool worked = reap_writes();
  for (auto& lane : lanes_) worked |= retire(lane);
  worked |= !rehoming_.empty() && rehome();
  worked |= submit_writes();
  if (files_.finishing && rehoming_.empty()) rehome_appender_->finish();
  return worked;
}

bool SpoolWriter::submit_writes() noexcept {
  bool worked = false;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[(turn_ + i) % lanes_.size()];
    worked |= lane.writes.submit(lane.files);
  }
  turn_ = (turn_ + 1) % lanes_.size();
  return worked;
}

bool SpoolWriter::reap_writes() noexcept {
  std::array<storage::WriteResult, 32> results;
  const auto count = queue_.reap(results);
  for (const auto& result : std::span(results).first(count)) {
    Block& block = WriteTag::block(result.tag);
    if (!WriteTag::is_tail(result.tag))
      lane_of(block).writes.finished(block, result.result);
    else if (const Tail tail = lane_of(block).writes.finished_tail(block, result.result); tail.length)
      flushed(block, tail);
  }
  return count != 0;
}

void SpoolWriter::flushed(Block& block, const Tail& tail) noexcept {
  Lane& lane = lane_of(block);
  const auto end = block.offset + tail.length;  // of a record
  count_stored(tail.tally - block.write.flushed().tally);
  lane.files.stored(block.first, block.first, tail.tally - block.write.flushed().tally, end, end);
  block.write.tail_ended(tail);
  lane.files.trim_behind_tail(end);
}

// Takes what can be taken off the front of the lane.
bool SpoolWriter::retire(Lane& lane) noexcept {
  bool worked = false;
  while (Block* const block = lane.files.is_cut() ? nullptr : lane.writes.take_complete()) {
    retire_stored(lane, *block);
    worked = true;
  }
  while (Block* const block = lane.writes.take_lost(lane.files)) {
    retire_lost(lane, *block);
    worked = true;
  }
  return worked;
}

void SpoolWriter::retire_stored(Lane& lane, Block& block) noexcept {
  for (auto* const listener : listeners_) listener->retired(block, lane.files.current());
  const auto stored = block.tally - block.write.flushed().tally;
  count_stored(stored);
  lane.files.stored(block.first, block.last, stored, block.offset + block.length,
                    block.starts ? block.offset + block.first_start : 0);
  lane.drive->drive->unloaded();
  if (block.last_of_file) end_file(lane, block);
  pool_.put(block);
}

void SpoolWriter::retire_lost(Lane& lane, Block& block) noexcept {
  lane.files.cut_before(block);
  if (layout_.tells_sources() && block.write.flushed().length != 0) count_flushed(block, lane.files.current());
  lane.drive->drive->unloaded();
  rehoming_.push(block);
  if (block.last_of_file) end_file(lane, block);
}

// What a tail's write has brought to the file of a Block that is lost to it otherwise: the file tells of it, and the
// Block no more.
void SpoolWriter::count_flushed(Block& block, FileSlot& file) noexcept {
  const auto* const from = block.continued ? block.data - block.carry : block.data + block.first_start;
  for (std::span<const std::byte> rest(from, block.data + block.write.flushed().length);;) {
    const auto record = layout_.record_of(rest);
    if (!record) return;
    auto& source = block.sources[record->source];
    source.packets -= 1;
    file.sources[record->source] += {1, source.missing.take(record->missing), 0};
    file.last = std::max(file.last, record->packet.time);
    rest = rest.subspan(record->bytes);
  }
}

void SpoolWriter::count_stored(Tally stored) noexcept {
  counters_.stored.add(stored.packets);
  counters_.stored_bytes.add(stored.bytes);
}

void SpoolWriter::end_file(Lane& lane, const Block& last) noexcept {
  for (auto* const listener : listeners_) listener->file_ended(lane.number, lane.files.current());
  lane.files.end(last.offset + last.length);
}

// Appends the records of lost Blocks again. Without any drive they are lost.
bool SpoolWriter::rehome() noexcept {
  Block& block = rehoming_.front();
  BlockRecords& records = rehoming_.records();
  while (takes_packets()) {
    const auto packets = records.peek();
    if (packets.empty()) break;
    const auto done = append_again(block, packets);
    records.advance(done);
    counters_.rehomed.add(done);
    if (done < packets.size()) return done != 0;
  }
  counters_.drop_drive.add(block.unflushed() - records.passed());
  rehoming_.pop();
  put_back(block);
  return true;
}

// What is missing in front of them goes with them; why, the Block knows.
std::size_t SpoolWriter::append_again(Block& block, std::span<const PacketRef> packets) noexcept {
  if (!layout_.tells_sources()) return rehome_appender_->append(packets);
  const BlockRecords& records = rehoming_.records();
  auto& missing = block.sources[records.source()].missing;
  rehome_appender_->comes_from(records.source(), missing.take(records.missing()));
  const auto done = rehome_appender_->append(packets);
  if (done == 0) missing += rehome_appender_->take_back_missing();
  return done;
}

void SpoolWriter::put_back(Block& block) noexcept {
  if (block.write.abandoned())
    ++abandoned_;
  else
    pool_.put(block);
}

// What is given up is not waited for: all that is left of the lane is then lost to it.
void SpoolWriter::give_up(std::uint64_t longest_ns) noexcept {
  for (auto& lane : lanes_) {
    if (!lane.drive->drive->ok() || !lane.writes.hang(longest_ns)) continue;
    lane.drive->drive->fail(ETIMEDOUT, "writing: it hangs at the stop");
  }
  for (auto& lane : lanes_) {
    if (lane.drive->drive->ok() || !lane.writes.hang(longest_ns)) continue;
    lane.files.leave();
    lane.writes.abandon();
  }
}

void SpoolWriter::discard_unused_files() {
  for (auto& lane : lanes_) lane.files.discard_unused();
}

}  // namespace wirespool::record

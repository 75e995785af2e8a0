// SPDX-License-Identifier: BSD-3-Clause
#include "record/appender.hpp"

#include <algorithm>
#include <cstring>

#include "policy/placement.hpp"

namespace wirespool::record {

Appender::Appender(const AppenderOptions& options, BlockDock& dock)
    : options_(options),
      dock_(dock),
      lanes_(options.drives),
      tells_sources_(options.layout->tells_sources()),
      record_(options.layout->bytes_of({{}, max_snaplen, max_snaplen, 0, 1})) {
  for (std::uint32_t drive = 0; drive < options.drives; ++drive) lanes_[drive].file.lane = options.first_lane + drive;
  current_ = options.drives - 1;  // the first pick begins after it
}

// A record that is in pieces, tells what is missing in front of it, or is longer than what is left of the Block.
bool Appender::append_slowly(const PacketRef& packet) noexcept {
  Lane* lane = &lanes_[current_];
  const auto record_bytes = static_cast<std::uint32_t>(
      options_.layout->bytes_of({packet.stamp, packet.caplen, packet.wirelen, source_, missing_.sum()}));
  const std::uint32_t capacity = lane->block->capacity;
  if (record_bytes <= capacity - lane->block->length) {
    append_one(*lane, packet);
    return true;
  }
  if (dock_.available() < 1 + (record_bytes + options_.layout->front().size()) / capacity) return false;
  if (lane->file_first.ns != 0 && options_.rotation.full(lane->next_offset, capacity)) {
    end_file(*lane);
    return select_lane() && append({&packet, 1}) == 1;
  }
  spill(*lane, put_record(record_.data(), packet));
  return true;
}

void Appender::append_one(Lane& lane, const PacketRef& packet) noexcept {
  Block& block = *lane.block;
  const auto head = put_record(block.data + block.length, packet);
  begin_records(lane, block.length, 1, packet.stamp, packet.stamp);
  block.length += static_cast<std::uint32_t>(options_.layout->bytes_of(head));
  count(block, head);
}

// The whole record, where there is room for it.
format::RecordHead Appender::put_record(std::byte* to, const PacketRef& packet) noexcept {
  std::byte* const frame = to + options_.layout->record_front_bytes();
  format::RecordHead head{packet.stamp, packet.caplen, packet.wirelen, source_, missing_.sum()};
  if (packet.is_in_pieces())
    head.caplen = options_.copy_chain(packet, 0, frame, packet.caplen);
  else
    std::memcpy(frame, packet.head, packet.caplen);
  options_.layout->enclose(to, head);
  return head;
}

// A record that ends in the Block, and what is missing in front of it.
void Appender::count(Block& block, const format::RecordHead& head) noexcept {
  block.tally.packets += 1;
  block.tally.bytes += head.caplen;
  if (!tells_sources_) return;
  auto& source = block.sources[source_];
  source.packets += 1;
  source.missing += std::exchange(missing_, {});
}

void Appender::comes_from(std::uint32_t source, const format::MissingPackets& missing) noexcept {
  if (missing_.sum() != 0 && source != source_) leave_missing();
  source_ = source;
  missing_ += missing;
}

// No packet follows: the file that is open has it after its last one. Without any, only the ledger tells.
void Appender::leave_missing() noexcept {
  const auto missing = std::exchange(missing_, {});
  for (auto& lane : lanes_) {
    if (!lane.block || lane.file_first.ns == 0) continue;
    auto& source = lane.block->sources[source_];
    source.missing += missing;
    source.behind_last += missing.sum();
    return;
  }
}

// record_ over the end of the open Block into the file's next ones, which are known to be available.
void Appender::spill(Lane& lane, const format::RecordHead& head) noexcept {
  const auto record_bytes = static_cast<std::uint32_t>(options_.layout->bytes_of(head));
  bool begun = false;
  for (std::uint32_t done = 0;;) {
    Block& block = *lane.block;
    if (!begun && block.length < block.capacity) {
      begin_records(lane, block.length, 1, head.time, head.time);
      begun = true;
    }
    const std::uint32_t piece = std::min(record_bytes - done, block.capacity - block.length);
    std::memcpy(block.data + block.length, record_.data() + done, piece);
    block.length += piece;
    done += piece;
    if (done == record_bytes) break;
    hand_out(lane, false);
    open_block(lane);
    carry(*lane.block, done);
  }
  count(*lane.block, head);
  lane.waiting_since = head.time;
  selected_ = false;
}

// The first `done` bytes of record_ went into earlier Blocks: keep them in front of this one, if they all fit there.
void Appender::carry(Block& block, std::uint32_t done) noexcept {
  block.continued = done;
  if (done > carry_capacity) return;
  block.carry = done;
  std::memcpy(block.data - done, record_.data(), done);
}

// Makes the least loaded drive's lane the current one, with an open Block.
bool Appender::select_lane() noexcept {
  const auto drive = policy::pick_drive(dock_.loads(), current_);
  if (drive == policy::no_drive) return false;
  if (!lanes_[drive].block) {
    if (dock_.available() == 0) return false;
    open_block(lanes_[drive]);
  }
  current_ = drive;
  return selected_ = true;
}

void Appender::open_block(Lane& lane) noexcept {
  Block& block = *dock_.get();
  const Block fresh;
  auto* const data = block.data;
  const auto capacity = block.capacity;
  const auto sources = block.sources;
  block = fresh;
  block.data = data;
  block.capacity = capacity;
  block.sources = sources;
  std::ranges::fill(sources, format::SourceTally{});
  block.file = lane.file;
  block.offset = lane.next_offset;
  lane.next_offset += capacity;
  lane.block = &block;
  if (block.offset != 0) return;
  lane.renewals = dock_.renewals(block.file.lane - options_.first_lane);
  const auto front = options_.layout->front();
  std::memcpy(block.data, front.data(), front.size());
  block.length = static_cast<std::uint32_t>(front.size());
}

void Appender::begin_records(Lane& lane, std::uint32_t at, std::uint32_t count, Timestamp first,
                             Timestamp last) noexcept {
  Block& block = *lane.block;
  if (block.starts == 0) {
    block.first_start = at;
    block.first = first;
  }
  block.starts += count;
  block.last = last;
  if (lane.file_first.ns == 0) lane.file_first = first;
  if (lane.waiting_since.ns == 0) lane.waiting_since = first;
}

void Appender::tick(Timestamp now) noexcept {
  const auto loads = dock_.loads();
  for (std::size_t drive = 0; drive < lanes_.size(); ++drive) {
    Lane& lane = lanes_[drive];
    if (!lane.block) continue;
    if (loads[drive] == policy::unusable || dock_.renewals(drive) != lane.renewals ||
        (lane.file_first.ns && options_.rotation.old(lane.file_first, now)))
      end_file(lane);
    else if (lane.waiting_since.ns && now.ns > lane.waiting_since.ns &&
             now.ns - lane.waiting_since.ns >= options_.flush_age_ns)
      flush(lane);
  }
}

void Appender::finish() noexcept {
  if (missing_.sum() != 0) leave_missing();
  end_all_files();
}

std::int64_t Appender::held() const noexcept {
  std::uint64_t held = 0;
  for (const auto& lane : lanes_)
    if (lane.block) held += lane.block->tally.packets;
  return static_cast<std::int64_t>(held);
}

void Appender::end_all_files() noexcept {
  for (auto& lane : lanes_)
    if (lane.block) end_file(lane);
}

void Appender::end_file(Lane& lane) noexcept {
  hand_out(lane, true);
  lane.file.number += 1;
  lane.next_offset = 0;
  lane.file_first = {};
  lane.waiting_since = {};
  selected_ = false;
}

void Appender::hand_out(Lane& lane, bool last_of_file) noexcept {
  Block& block = *lane.block;
  block.last_of_file = last_of_file;
  pad(block);
  lane.block = nullptr;
  lane.waiting_since = {};
  dock_.take_full(block);
}

void Appender::flush(Lane& lane) noexcept {
  pad(*lane.block);
  if (dock_.take_tail(*lane.block)) lane.waiting_since = {};
}

// Zeros from the end of the records to the end of the write, so that nothing stale of an earlier use reaches the drive.
void Appender::pad(Block& block) noexcept {
  const std::uint32_t padded = (block.length + options_.pad_bytes - 1) / options_.pad_bytes * options_.pad_bytes;
  const std::uint32_t end = std::min(padded, block.capacity);
  std::memset(block.data + block.length, 0, end - block.length);
}

}  // namespace wirespool::record

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "record/appender.hpp"
#include "record/file_keeper.hpp"
#include "record/spool_writer.hpp"
#include "support/aligned_buffer.hpp"
#include "support/temp_dir.hpp"
#include "support/trace.hpp"

namespace wirespool::test {

struct RigOptions {
  std::size_t drives = 1;
  std::uint32_t streams = 1;
  std::uint32_t block_bytes = 64 << 10;
  std::uint32_t blocks = 32;
  std::uint32_t depth = 4;
  std::uint64_t rotate_size = 1 << 20;
  std::uint64_t rotate_age_ns = 3600'000'000'000;
  std::uint64_t flush_age_ns = 1'000'000'000;
  std::uint64_t preallocate = 0;
  bool direct_io = true;
  std::uint64_t filter_bytes = 0;  // of a flow index; 0: one of times
  std::uint64_t patience_ns = 2'000'000'000;
};

struct RefOptions {
  std::uint32_t keep = record::Records::max_caplen;  // bytes of each frame
  std::uint32_t chain_above = UINT32_MAX;            // of longer frames, only half is shown at `head`
};

// PacketRefs of a trace. Those of which more is kept than `head` shows are in pieces, as chained mbuf segments are, and
// copy_chain has all of their bytes. The trace must outlive them.
class TraceRefs {
 public:
  explicit TraceRefs(const Trace& trace, const RefOptions& options = {}) {
    for (std::size_t i = 0; i < trace.size(); ++i) frames_.push_back(trace[i].bytes);
    for (const auto& frame : frames_) {
      const auto bytes = static_cast<std::uint32_t>(frame.size()), caplen = std::min(bytes, options.keep);
      const auto shown = bytes > options.chain_above ? bytes / 2 : bytes;
      const auto* head = frame.data();
      if (shown < bytes) head = heads_.emplace_back(frame.begin(), frame.begin() + shown).data();  // and no byte behind
      const auto owner = reinterpret_cast<std::uintptr_t>(&frame) | (caplen > shown ? record::PacketRef::in_pieces : 0);
      refs_.push_back({trace[refs_.size()].time, head, owner, bytes, caplen});
    }
  }
  std::span<const record::PacketRef> span() const { return refs_; }

 private:
  std::vector<std::span<const std::byte>> frames_;
  std::vector<std::vector<std::byte>> heads_;
  std::vector<record::PacketRef> refs_;
};

inline std::uint32_t copy_chain(const record::PacketRef& packet, std::uint32_t offset, std::byte* to,
                                std::uint32_t bytes) noexcept {
  const auto& frame =
      *reinterpret_cast<const std::span<const std::byte>*>(packet.owner & ~record::PacketRef::in_pieces);
  const auto there = std::min<std::size_t>(bytes, frame.size() - std::min<std::size_t>(offset, frame.size()));
  std::memcpy(to, frame.data() + offset, there);
  return static_cast<std::uint32_t>(there);
}

// A whole writer without EAL: Appenders, SpoolWriter, FileKeepers (worked by hand, on this thread) and directories.
class SpoolRig {
 public:
  static constexpr Timestamp capture_start{1'700'000'000'000'000'000};

  SpoolRig(const RigOptions& options, storage::IoQueue& queue)
      : options_(options),
        memory_(record::BlockPool::bytes_needed(options.blocks, options.block_bytes), 4096),
        pool_(memory_.span(), options.block_bytes),
        slots_(record::SpoolWriter::lanes(options.streams, options.drives) * record::SpoolWriter::slots_per_lane),
        drive_counters_(options.drives) {
    std::vector<record::WriterDrive> drives;
    directories_.reserve(options.drives);
    for (std::size_t i = 0; i < options.drives; ++i) {
      std::filesystem::create_directory(directory(i));
      directories_.push_back(std::move(*storage::Directory::open(directory(i).string())));
      drives_.push_back(std::make_unique<record::Drive>(directory(i).string(), 4096));
      keepers_.push_back(
          std::make_unique<record::FileKeeper>(record::FileKeeperOptions{.stem = "test",
                                                                         .capture_start = capture_start,
                                                                         .direct_io = options.direct_io,
                                                                         .preallocate_bytes = options.preallocate,
                                                                         .block_bytes = options.block_bytes},
                                               *drives_[i], directories_.back(), slots_of(i)));
      drives.push_back({drives_[i].get(), keepers_[i].get(), &drive_counters_[i]});
    }
    record::SpoolWriterOptions writer_options{.streams = options.streams,
                                              .depth = options.depth,
                                              .block_bytes = options.block_bytes,
                                              .flush_age_ns = options.flush_age_ns,
                                              .grow_bytes = options.preallocate,
                                              .rotation = {options.rotate_size, options.rotate_age_ns},
                                              .filter_bytes = options.filter_bytes,
                                              .patience_ns = options.patience_ns};
    writer_ = std::make_unique<record::SpoolWriter>(writer_options, drives, slots_, pool_, queue, counters_);
    for (std::uint32_t stream = 0; stream < options.streams; ++stream)
      appenders_.push_back(std::make_unique<record::Appender>(
          record::AppenderOptions{.first_lane = writer_->first_lane(stream),
                                  .drives = static_cast<std::uint32_t>(options.drives),
                                  .block_bytes = options.block_bytes,
                                  .flush_age_ns = options.flush_age_ns,
                                  .rotation = {options.rotate_size, options.rotate_age_ns},
                                  .copy_chain = copy_chain},
          writer_->port(stream)));
    writer_->open_first_files();
  }

  // Appends all, turning the crank whenever no Block is free. Packets no drive can take are counted as drop_drive.
  void feed(std::uint32_t stream, std::span<const record::PacketRef> packets) {
    while (!packets.empty()) {
      if (!writer_->any_drive()) {
        writer_->drop(packets.size());
        return;
      }
      const auto done = appenders_[stream]->append(packets);
      packets = packets.subspan(done);
      if (done == 0) turn();
    }
  }

  void turn(Timestamp now = {}) {
    writer_->poll();
    for (auto& keeper : keepers_) keeper->work();
    for (auto& appender : appenders_) appender->tick(now);
    writer_->tick(now);
  }

  void finish() {
    for (auto& appender : appenders_) appender->finish();
    writer_->finish();
    while (!writer_->drained()) turn();
    for (auto& keeper : keepers_)
      while (keeper->work() != 0) continue;
    writer_->discard_unused_files();
  }

  std::filesystem::path directory(std::size_t drive) const { return temp_ / ("drive" + std::to_string(drive)); }
  std::vector<std::filesystem::path> directories() const {
    std::vector<std::filesystem::path> all;
    for (std::size_t i = 0; i < options_.drives; ++i) all.push_back(directory(i));
    return all;
  }

  // Packets in Blocks, one Block after the other.
  std::int64_t held() const {
    auto held = writer_->held();
    for (const auto& appender : appenders_) held += appender->held();
    return held;
  }

  record::Drive& drive(std::size_t i) { return *drives_[i]; }
  record::SpoolWriter& writer() { return *writer_; }
  const stats::WriterCounters& counters() const { return counters_; }
  const stats::DriveCounters& drive_counters(std::size_t i) const { return drive_counters_[i]; }

 private:
  std::vector<record::FileSlot*> slots_of(std::size_t drive) {
    std::vector<record::FileSlot*> mine;
    for (std::size_t i = 0; i < slots_.size(); ++i)
      if (i / record::SpoolWriter::slots_per_lane % options_.drives == drive) mine.push_back(&slots_[i]);
    return mine;
  }

  RigOptions options_;
  TempDir temp_;
  AlignedBuffer memory_;
  record::BlockPool pool_;
  std::vector<record::FileSlot> slots_;
  std::vector<stats::DriveCounters> drive_counters_;
  stats::WriterCounters counters_;
  std::vector<storage::Directory> directories_;
  std::vector<std::unique_ptr<record::Drive>> drives_;
  std::vector<std::unique_ptr<record::FileKeeper>> keepers_;
  std::unique_ptr<record::SpoolWriter> writer_;
  std::vector<std::unique_ptr<record::Appender>> appenders_;
};

}  // namespace wirespool::test

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "record/recorder.hpp"
#include "support/aligned_buffer.hpp"
#include "support/temp_dir.hpp"
#include "support/trace.hpp"

namespace wirespool::test {

struct RigOptions {
  std::size_t drives = 1;
  std::uint32_t streams = 1;
  bool streams_append = false;  // the test has the Appenders
  std::uint32_t block_bytes = 64 << 10;
  std::uint32_t blocks = 32;
  std::uint32_t depth = 4;
  std::uint64_t rotate_size = 1 << 20;
  std::uint64_t rotate_age_ns = 3600'000'000'000;
  std::uint64_t flush_age_ns = 1'000'000'000;
  std::uint64_t preallocate = 0;
  bool direct_io = true;
  std::uint64_t filter_bytes = 0;  // of a flow index; 0: one of times
  bool checksums = true;
  const stats::ClockBounds* clock = nullptr;
  bool tends_drives = false;  // with every turn, as if a second had passed; else see tend_drives()
  std::uint64_t patience_ns = 2'000'000'000;
  std::vector<record::SealListener*> seal_listeners = {};
  std::vector<record::BlockListener*> block_listeners = {};
  const format::FileLayout* layout = &record::plain_pcap;
  record::DriveListener* drive_listener = nullptr;
  bool tells_readers = false;  // of open files
};

struct RefOptions {
  std::uint32_t keep = record::max_snaplen;  // bytes of each frame
  std::uint32_t chain_above = UINT32_MAX;    // of longer frames, only half is shown at `head`
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

// A Recorder of one writer without EAL: its keepers are worked by hand, on this thread.
class SpoolRig {
 public:
  static constexpr Timestamp capture_start{1'700'000'000'000'000'000};

  SpoolRig(const RigOptions& options, storage::IoQueue& queue)
      : options_(options),
        memory_(record::BlockPool::bytes_needed(options.blocks, options.block_bytes), 4096),
        directories_(make_directories()),
        recorder_({.stem = "test",
                   .capture_start = capture_start,
                   .streams = options.streams,
                   .streams_append = options.streams_append,
                   .layout = options.layout,
                   .block_bytes = options.block_bytes,
                   .flush_age_ns = options.flush_age_ns,
                   .rotation = {options.rotate_size, options.rotate_age_ns},
                   .depth = options.depth,
                   .grow_bytes = options.preallocate,
                   .checksums = options.checksums,
                   .filter_bytes = options.filter_bytes,
                   .patience_ns = options.patience_ns,
                   .copy_chain = copy_chain,
                   .seal_listeners = options.seal_listeners,
                   .clock = options.clock,
                   .drive_listener = options.drive_listener,
                   .tells_readers = options.tells_readers},
                  drives(), {writer_options(queue)}) {}

  // Appends all, turning the crank whenever no Block is free. Packets no drive can take are counted as drop_drive.
  void feed(std::uint32_t stream, std::span<const record::PacketRef> packets) {
    while (!packets.empty()) {
      if (!sink().takes_packets()) {
        sink().drop(packets.size());
        return;
      }
      const auto done = writer().appender(stream).append(packets);
      packets = packets.subspan(done);
      if (done == 0) turn();
    }
  }

  void turn(Timestamp now = {}) {
    sink().poll();
    for (std::size_t i = 0; i < options_.drives; ++i) recorder_.keeper(i).work();
    if (options_.tends_drives) tend_drives(second_ += std::chrono::seconds(1));
    for (std::uint32_t stream = 0; stream < appenders(); ++stream) writer().appender(stream).tick(now);
    sink().tick(now);
  }

  // Until nothing is on its way.
  void settle(Timestamp now = {}) {
    for (int i = 0; i < 50; ++i) turn(now);
  }

  // The keepers look after drives that are full or failed, at a moment of the test's own.
  void tend_drives(std::chrono::steady_clock::time_point now) {
    for (std::size_t i = 0; i < options_.drives; ++i) recorder_.keeper(i).tend_drive(now);
  }

  void finish() {
    for (std::uint32_t stream = 0; stream < appenders(); ++stream) writer().appender(stream).finish();
    sink().finish();
    while (!sink().drained()) turn();
    for (std::size_t i = 0; i < options_.drives; ++i)
      while (recorder_.keeper(i).work() != 0) continue;
    recorder_.discard_unused_files();
  }

  // As a capture ends: nothing is told to readers any more. After finish().
  void end_keepers() {
    for (std::size_t i = 0; i < options_.drives; ++i) {
      recorder_.keeper(i).start();
      recorder_.keeper(i).stop();
    }
  }

  std::filesystem::path directory(std::size_t drive) const { return temp_ / ("drive" + std::to_string(drive)); }
  std::vector<std::filesystem::path> directories() const {
    std::vector<std::filesystem::path> all;
    for (std::size_t i = 0; i < options_.drives; ++i) all.push_back(directory(i));
    return all;
  }

  // Packets in Blocks, one Block after the other.
  std::int64_t held() {
    auto held = sink().held();
    for (std::uint32_t stream = 0; stream < appenders(); ++stream) held += writer().appender(stream).held();
    return held;
  }

  record::Drive& drive(std::size_t i) { return recorder_.drive(i); }
  record::Writer& writer() { return recorder_.writer(0); }
  record::BlockSink& sink() { return writer().sink(); }
  const stats::WriterCounters& counters() const { return recorder_.writer(0).counters; }
  const stats::DriveCounters& drive_counters(std::size_t i) const { return recorder_.writer(0).drive_counters[i]; }

 private:
  std::uint32_t appenders() const { return options_.streams_append ? 0 : options_.streams; }
  std::vector<storage::Directory> make_directories() const {
    std::vector<storage::Directory> made;
    for (std::size_t i = 0; i < options_.drives; ++i) {
      std::filesystem::create_directory(directory(i));
      made.push_back(std::move(*storage::Directory::open(directory(i).string())));
    }
    return made;
  }
  std::vector<record::RecorderDrive> drives() const {
    std::vector<record::RecorderDrive> all;
    for (const auto& directory : directories_)
      all.push_back(
          {.directory = &directory, .direct_io = options_.direct_io, .preallocate_bytes = options_.preallocate});
    return all;
  }
  record::WriterOptions writer_options(storage::IoQueue& queue) {
    record::WriterOptions writer{.memory = memory_.span(), .queue = &queue, .listeners = options_.block_listeners};
    for (std::size_t i = 0; i < options_.drives; ++i) writer.drives.push_back(i);
    return writer;
  }

  RigOptions options_;
  TempDir temp_;
  AlignedBuffer memory_;
  std::vector<storage::Directory> directories_;
  record::Recorder recorder_;
  std::chrono::steady_clock::time_point second_{};  // of the drives that are tended
};

}  // namespace wirespool::test

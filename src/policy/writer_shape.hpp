// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace wirespool::policy {

// A Block and the carry area in front of it, in a writer's memory: 4096-aligned, as O_DIRECT wants it.
constexpr std::uint64_t block_stride(std::uint64_t block_bytes, std::uint64_t carry_bytes) noexcept {
  return carry_bytes + (block_bytes + 4095) / 4096 * 4096;
}

// Elements of the ring that carries Blocks to a writer (--handoff blocks): each Block once, and fewer tails than
// Blocks. A power of two; a DPDK ring holds one less.
constexpr unsigned block_ring_size(unsigned blocks) noexcept { return std::bit_ceil(2 * blocks + 1); }

// What a DPDK ring takes besides its elements (struct rte_ring: head, tail and padding, two cache lines each).
constexpr std::uint64_t ring_header_bytes = 512;
constexpr std::uint64_t block_message_bytes = 32;  // a Block and its tail (capture/block_handoff)

// The rings between one RX lcore and a writer of so many Blocks: messages one way, pointers to empty Blocks back.
constexpr std::uint64_t block_rings_bytes(unsigned blocks) noexcept {
  return 2 * ring_header_bytes + block_ring_size(blocks) * (block_message_bytes + sizeof(void*));
}

// Rows of a file's index: one a Block and two to spare, at most `most` (beyond that, rows are joined in pairs).
constexpr std::uint64_t index_rows(std::uint64_t file_bytes, std::uint64_t block_bytes, std::uint64_t most) noexcept {
  return std::min(file_bytes / block_bytes + 2, most);
}

// The numbers of one writer: how many lanes, files and Blocks it has. plan/ asks before there is a writer, record/ when
// it makes one, so that what was planned is what is there.
//
// A lane is one Stream on one drive, or the re-homed packets on one drive.
struct WriterShape {
  std::uint32_t streams = 1;    // their Blocks end here: plan::CapturePlan::streams
  std::uint32_t drives = 1;     // 0: Blocks end unwritten
  bool streams_append = false;  // each Stream's Appender is elsewhere and needs a supply of Blocks of its own
                                // (--handoff blocks); else all are on the writer's lcore, one after the other
  std::uint64_t block_bytes = 1 << 20;
  std::uint64_t snaplen = 0;
  std::uint64_t front_bytes = 0;  // in front of a file's first record, at most; besides what `headers` below has
  std::uint64_t carry_bytes = 0;  // in front of each Block: no record longer than that is spread over Blocks

  // The files of a lane: the one being written, the next one, and one being sealed.
  static constexpr std::uint32_t files_per_lane = 3;

  constexpr std::uint32_t lanes() const noexcept { return (streams + 1) * drives; }
  constexpr std::uint32_t files() const noexcept { return files_per_lane * lanes(); }

  // Lanes that Appenders fill, each with a Block open. A Stream has one even without drives.
  constexpr std::uint32_t open_lanes() const noexcept { return streams * std::max(1u, drives); }

  // The most that `front_bytes` may be in files that name sources (pcapng): more would leave no room for packets.
  static constexpr std::uint64_t most_front_bytes(bool tells_sources, std::uint64_t block_bytes) noexcept {
    return tells_sources ? block_bytes / 2 : 0;
  }

  // Blocks that the longest record takes besides the one it begins in.
  constexpr std::uint32_t blocks_of_longest_record() const noexcept {
    constexpr std::uint64_t headers = 64;  // of the record, and of the file it may begin
    return static_cast<std::uint32_t>(1 + (std::min(snaplen, carry_bytes) + headers + front_bytes) / block_bytes);
  }

  // Blocks kept back from Streams, so that re-homing goes on when everything else is full: one open on each drive, one
  // at hand, and one more for a record that continues in it.
  constexpr std::uint32_t reserve() const noexcept { return drives == 0 ? 0 : drives + 2; }

  // With fewer a writer may stand still for good.
  constexpr std::uint32_t fewest_blocks() const noexcept {
    const std::uint32_t appending = streams_append ? streams : 1;
    return open_lanes() + appending * (1 + blocks_of_longest_record()) + reserve();
  }

  // Empty Blocks that each Stream is kept supplied with where Appenders are elsewhere, out of `blocks`.
  constexpr std::uint32_t supply(std::uint32_t blocks) const noexcept {
    const std::uint32_t kept = drives == 0 ? 0 : reserve() + open_lanes();
    return (blocks - kept) / streams;
  }
};

}  // namespace wirespool::policy

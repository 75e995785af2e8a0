// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

#include "support/trace.hpp"

namespace wirespool::bench {

// As far apart as mbufs are in a pool: rte_mempool's header 64, rte_mbuf 128, headroom 128, data room 2048.
inline constexpr std::size_t object_bytes = 2368;
inline constexpr std::size_t data_at = 64 + 128 + 128;

struct Memory {
  std::span<std::byte> bytes;
  bool huge = false;
};

// Zeroed and never given back; hugepages if there are any.
inline Memory take_memory(std::size_t bytes) {
  constexpr std::size_t huge_page = 2 << 20;
  const std::size_t rounded = (bytes + huge_page - 1) / huge_page * huge_page;
  const auto map = [&](int flags) {
    return ::mmap(nullptr, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | flags, -1, 0);
  };
  void* memory = map(MAP_HUGETLB);
  const bool huge = memory != MAP_FAILED;
  if (!huge) memory = map(0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory");
  return {{static_cast<std::byte*>(memory), rounded}, huge};
}

struct Frame {
  const std::byte* data;
  std::size_t bytes;
};

// Frame i of the trace in buffers i, i + trace.size(), ...
inline std::vector<Frame> lay_out(const test::Trace& trace, std::span<std::byte> pool, std::size_t buffers) {
  std::vector<Frame> frames;
  for (std::size_t i = 0; i < buffers; ++i) {
    const auto packet = trace[i % trace.size()];
    if (packet.bytes.size() > object_bytes - data_at) throw std::runtime_error("a frame is longer than a buffer");
    std::byte* const data = pool.data() + i * object_bytes + data_at;
    std::memcpy(data, packet.bytes.data(), packet.bytes.size());
    frames.push_back({data, packet.bytes.size()});
  }
  return frames;
}

// Where the next frame goes: Block after Block, round and round.
struct Target {
  std::span<std::byte> memory;
  std::size_t block_bytes;
  std::byte* to = memory.data();
  const std::byte* block_end = to + block_bytes;

  void next_block() noexcept {
    const auto end = static_cast<std::size_t>(block_end - memory.data());
    to = memory.data() + (end == memory.size() ? 0 : end);
    block_end = to + block_bytes;
  }
};

// memcpy(3) of each frame, and nothing else.
inline void copy_all(std::span<const Frame> frames, Target& shared) noexcept {
  Target target = shared;  // a local: what is written through std::byte* may be anything else
  for (const auto& frame : frames) {
    if (frame.bytes > static_cast<std::size_t>(target.block_end - target.to)) target.next_block();
    std::memcpy(target.to, frame.data, frame.bytes);
    target.to += frame.bytes;
  }
  shared = target;
}

}  // namespace wirespool::bench

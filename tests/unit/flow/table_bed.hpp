// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "flow/flow_table.hpp"

namespace wirespool::test {

inline constexpr std::uint64_t second = 1'000'000'000;

struct FreeMemory {
  void operator()(std::byte* memory) const { ::operator delete[](memory, std::align_val_t{64}); }
};

// Zeroed memory on a cache line.
class Memory {
 public:
  explicit Memory(std::size_t bytes) : bytes_(bytes), memory_(new (std::align_val_t{64}) std::byte[bytes]()) {}
  std::span<std::byte> bytes() const { return {memory_.get(), bytes_}; }

 private:
  std::size_t bytes_;
  std::unique_ptr<std::byte[], FreeMemory> memory_;
};

// A table with its memory and ring, and what has come out of it.
class TableBed {
 public:
  explicit TableBed(flow::FlowTableOptions options, std::size_t ring = 1 << 16)
      : memory_(flow::FlowTable::bytes_needed(options.flows)),
        ring_memory_(flow::FlowRing::bytes_needed(ring)),
        ring_(ring_memory_.bytes(), ring),
        table(memory_.bytes(), options, &ring_) {}

  // What the ring holds, oldest first.
  std::vector<flow::Flow> ended() {
    std::vector<flow::Flow> flows;
    ring_.take(SIZE_MAX, [&](const flow::Flow& flow) { flows.push_back(flow); });
    return flows;
  }
  std::vector<flow::Flow> all() {
    auto flows = ended();
    table.take_all(format::FlowEnd::stop, [&](const flow::Flow& flow) { flows.push_back(flow); });
    return flows;
  }

  // One packet; returns FlowPacket::before.
  std::uint64_t look(flow::FlowPacket packet) {
    table.look({&packet, 1});
    return packet.before;
  }

 private:
  Memory memory_, ring_memory_;
  flow::FlowRing ring_;

 public:
  flow::FlowTable table;
};

// A packet of flow `number`, 100 bytes long (86 of IP).
inline flow::FlowPacket packet_of(std::uint64_t number, std::uint64_t time_ns, bool back = false,
                                  std::uint8_t tcp_flags = 0) {
  flow::FlowPacket packet;
  packet.time_ns = time_ns;
  packet.ip_bytes = 86;
  packet.wirelen = 100;
  packet.headers = 54;
  packet.key = {.low = {number, 0}, .high = {~std::uint64_t{0}, 0}, .low_port = 1, .high_port = 2};
  packet.key.protocol = 6;
  packet.tcp_flags = tcp_flags;
  packet.from_high = back;
  return packet;
}

}  // namespace wirespool::test

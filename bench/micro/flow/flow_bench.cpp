// SPDX-License-Identifier: BSD-3-Clause
//
// What the flow table costs a packet: flow_bench [--json]
// Frames of 64 bytes in a Burst of 64, whose addresses are changed in place, so that each belongs to any of so many
// flows. The baseline changes the addresses and nothing else; "headers" reads the packet too; the others look it up in
// a table of that many flows, all of which are there. Memory: about 880 MiB for the largest.
#include <sys/mman.h>

#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "contest/contest.hpp"
#include "flow/flow_table.hpp"

namespace {

using namespace wirespool;
using bench::keep;

constexpr std::size_t burst = flow::FlowTable::most_packets;
constexpr std::size_t frame_bytes = 64;

// Anonymous memory, in large pages if the kernel has some.
class Pages {
 public:
  explicit Pages(std::size_t bytes) : bytes_(bytes) {
    memory_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::madvise(memory_, bytes, MADV_HUGEPAGE);
    std::memset(memory_, 0, bytes);
  }
  Pages(const Pages&) = delete;
  ~Pages() { ::munmap(memory_, bytes_); }
  std::span<std::byte> bytes() const { return {static_cast<std::byte*>(memory_), bytes_}; }

 private:
  void* memory_;
  std::size_t bytes_;
};

// UDP over IPv4, the flow's number in both addresses.
class Frames {
 public:
  Frames() {
    for (auto& frame : frames_) {
      frame[12] = std::byte{8};
      frame[14] = std::byte{0x45};
      frame[17] = std::byte{50};
      frame[23] = std::byte{17};
    }
  }

  // Of flow `number`.
  std::span<const std::byte> of(std::uint32_t number) {
    auto& frame = frames_[turn_++ % burst];
    std::memcpy(&frame[26], &number, sizeof number);
    std::memcpy(&frame[30], &number, sizeof number);
    return frame;
  }

  // Of any of so many flows.
  std::span<const std::byte> next(std::uint64_t flows) {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return of(static_cast<std::uint32_t>((state_ >> 32) * flows >> 32));
  }

 private:
  std::array<std::array<std::byte, frame_bytes>, burst> frames_{};
  std::uint64_t state_ = 1, turn_ = 0;
};

void change_addresses(Frames& frames, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) keep(frames.next(1000).data());
}

void read_headers(Frames& frames, std::uint64_t times) {
  flow::FlowPacket packet;
  for (std::uint64_t i = 0; i < times; ++i) {
    keep(flow::read_packet(frames.next(1000), frame_bytes, packet));
    keep(&packet);
  }
}

struct Bed {
  explicit Bed(std::uint64_t flows)
      : flows(flows), pages(flow::FlowTable::bytes_needed(flows)), table(pages.bytes(), {.flows = flows}, nullptr) {
    for (std::uint64_t i = 0; i < flows; i += burst)
      look([&](std::uint64_t in_burst) { return frames.of(static_cast<std::uint32_t>((i + in_burst) % flows)); });
  }

  template <typename FrameOf>
  void look(FrameOf frame_of) {
    for (std::uint64_t i = 0; i < burst; ++i) {
      flow::read_packet(frame_of(i), frame_bytes, packets[i]);
      packets[i].time_ns = now += 100;
    }
    table.look(packets);
    table.age({now}, 32);
  }

  void look(std::uint64_t times) {
    for (std::uint64_t done = 0; done < times; done += burst) look([&](std::uint64_t) { return frames.next(flows); });
  }

  std::uint64_t flows, now = 1'000'000'000;
  Pages pages;
  flow::FlowTable table;
  Frames frames;
  std::array<flow::FlowPacket, burst> packets{};
};

}  // namespace

int main(int argc, char** argv) {
  Frames frames;
  std::vector<std::unique_ptr<Bed>> beds;
  bench::Contest contest("flow", {.json = bench::wants_json({argv + 1, argv + argc})});
  contest.add("addresses changed", [&](auto times) { change_addresses(frames, times); });
  contest.add("headers", [&](auto times) { read_headers(frames, times); });
  for (const auto& [flows, name] :
       {std::pair{1'000u, "1 k flows"}, {100'000u, "100 k flows"}, {4'000'000u, "4 M flows"}}) {
    beds.push_back(std::make_unique<Bed>(flows));
    contest.add(name, [bed = beds.back().get()](auto times) { bed->look(times); });
  }
  contest.run();
}

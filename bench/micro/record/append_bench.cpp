// SPDX-License-Identifier: BSD-3-Clause
//
// What building Blocks costs beside copying the frames: append_bench [--json]
// Frames lie as in an mbuf pool of the size that a capture of one queue takes; one Block of 1 MiB is filled over and
// over. memcpy: the frames alone. put_record: with a pcap record header each. Appender: everything a writer lcore does
// with PacketRefs in Bursts of 64, up to a sink that gives Blocks back unwritten.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "contest/contest.hpp"
#include "contest/frames.hpp"
#include "format/pcap_records.hpp"
#include "record/recorder.hpp"

namespace {

using namespace wirespool;
using bench::Frame;

constexpr std::size_t buffers = 3072;
constexpr std::size_t burst = 64;
constexpr std::uint32_t block_bytes = 1 << 20;
constexpr Timestamp stamp{1'767'225'600'123'456'789};

// Calls `body` with stretches of the frames, no longer than a Burst, until there were so many.
template <typename Items, typename Body>
void in_bursts(const Items& items, std::uint64_t times, Body body) {
  std::size_t at = 0;
  while (times) {
    const std::size_t count = std::min<std::size_t>({burst, items.size() - at, times});
    body(std::span(items).subspan(at, count));
    times -= count;
    at = at + count == items.size() ? 0 : at + count;
  }
}

void put_records(std::span<const Frame> frames, bench::Target& shared) {
  bench::Target target = shared;
  const auto second = format::PcapRecords::Second::of(stamp);
  for (const auto& frame : frames) {
    const auto bytes = static_cast<std::uint32_t>(frame.bytes);
    if (format::PcapRecords::bytes_of(bytes) > static_cast<std::size_t>(target.block_end - target.to))
      target.next_block();
    format::PcapRecords::Pen pen(target.to, second);
    pen.put({stamp, bytes, bytes}, frame.data);
    target.to += pen.bytes();
  }
  shared = target;
}

// A Recorder without drives.
class Line {
 public:
  explicit Line(std::span<std::byte> memory) : recorder_({.block_bytes = block_bytes}, {}, {{.memory = memory}}) {}

  void append(std::span<const record::PacketRef> packets) { bench::keep(appender_.append(packets)); }

 private:
  record::Recorder recorder_;
  record::Appender& appender_ = recorder_.writer(0).appender(0);
};

std::vector<record::PacketRef> refer(const std::vector<Frame>& frames) {
  std::vector<record::PacketRef> refs;
  for (const auto& frame : frames) {
    const auto bytes = static_cast<std::uint32_t>(frame.bytes);
    refs.push_back({.stamp = stamp, .head = frame.data, .wirelen = bytes, .caplen = bytes});
  }
  return refs;
}

void compare(const std::string& name, const std::string& kind, bool json) {
  const auto trace = test::make_trace({.kind = kind, .packets = 4000});
  const auto frames = bench::lay_out(trace, bench::take_memory(buffers * bench::object_bytes).bytes, buffers);
  const auto refs = refer(frames);
  const auto blocks = bench::take_memory(record::BlockPool::bytes_needed(3, block_bytes));
  bench::Target copied{blocks.bytes.first(block_bytes), block_bytes}, put = copied;
  Line line(bench::take_memory(record::BlockPool::bytes_needed(3, block_bytes)).bytes);

  bench::Contest contest(name, {.json = json});
  contest.add("memcpy", [&](auto times) {
    in_bursts(frames, times, [&](std::span<const Frame> some) { bench::copy_all(some, copied); });
  });
  contest.add("put_record", [&](auto times) {
    in_bursts(frames, times, [&](std::span<const Frame> some) { put_records(some, put); });
  });
  contest.add("Appender into a BlockSink", [&](auto times) {
    in_bursts(refs, times, [&](std::span<const record::PacketRef> some) { line.append(some); });
  });
  contest.run();
}

}  // namespace

int main(int argc, char** argv) {
  const bool json = bench::wants_json({argv + 1, argv + argc});
  compare("64 B", "60", json);
  compare("CAIDA-like", "caida", json);
  compare("1518 B", "1514", json);
}

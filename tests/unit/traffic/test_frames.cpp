// SPDX-License-Identifier: BSD-3-Clause
#include <pcap/pcap.h>
#include <map>

#include "format/layers.hpp"
#include "memory_wire.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/trace.hpp"
#include "traffic/frames.hpp"

using namespace wirespool;
using namespace wirespool::test;
using namespace wirespool::traffic;
using Catch::Contains;

namespace {

std::vector<Slot> make(MemoryWire& wire, FrameMaker& maker, unsigned count, std::uint64_t first = 0) {
  const auto slots = wire.room(count);
  maker.make(slots, first, 1234, false);
  return {slots.begin(), slots.end()};
}

SizeMix sizes(const std::string& text) {
  const auto mix = SizeMix::parse(text);
  if (!mix) FAIL(mix.error());
  return *mix;
}

}  // namespace

TEST_CASE("a frame is Ethernet, IPv4 and UDP as tshark reads them, its checksum right") {
  if (!have_program("tshark")) return skip("frames as tshark reads them", "tshark is not here");
  const auto vlan = GENERATE(values<std::optional<std::uint16_t>>({std::nullopt, 7}));
  MemoryWire wire;
  const auto ends = ends_between(2, vlan);
  FrameMaker maker(ends, sizes("64,1500"), {.burst = 1});
  Trace trace;
  for (const auto& slot : make(wire, maker, 60)) trace.append({1'000'000'000}, {slot.data, slot.bytes}, slot.bytes);
  const TempDir directory;
  write_pcap(trace, directory / "made.pcap");
  const auto read = run_process({"tshark",
                                 "-nr",
                                 directory / "made.pcap",
                                 "-o",
                                 "ip.check_checksum:TRUE",
                                 "-T",
                                 "fields",
                                 "-e",
                                 "eth.dst",
                                 "-e",
                                 "eth.src",
                                 "-e",
                                 "vlan.id",
                                 "-e",
                                 "ip.ttl",
                                 "-e",
                                 "ip.checksum.status",
                                 "-e",
                                 "udp.srcport",
                                 "-e",
                                 "udp.dstport",
                                 "-e",
                                 "frame.len"});
  CAPTURE(read.err);
  const std::string tag = vlan ? "7" : "";
  const auto line = [&](const char* port, const char* bytes) {
    return "02:00:00:00:00:02\t02:00:00:00:00:01\t" + tag + "\t64\t1\t" + port + "\t16994\t" + bytes + "\n";
  };
  CHECK_THAT(read.out, Contains(line("13994", "64")) && Contains(line("13995", "64")));
  CHECK_THAT(read.out, Contains(line("13994", "1500")) && Contains(line("13995", "1500")));
  CHECK(std::ranges::count(read.out, '\n') == 60);
}

TEST_CASE("a frame that was made is one for the other end, and for nobody else") {
  MemoryWire wire;
  const auto ends = ends_between(1, GENERATE(values<std::optional<std::uint16_t>>({std::nullopt, 7})));
  FrameMaker maker(ends, SizeMix::only(64), {.burst = 1});
  const auto slot = make(wire, maker, 1).front();
  CHECK(FrameCheck(other_end(ends), true).payload_of(slot).size() == 64u - header_bytes - (ends.vlan ? tag_bytes : 0));
  const auto refused = [&](auto change) {
    auto there = other_end(ends);
    change(there);
    return FrameCheck(there, true).payload_of(slot).empty();
  };
  CHECK(refused([](Ends& there) { there.local_mac = parse_mac("02:00:00:00:00:03"); }));
  CHECK(refused([](Ends& there) { there.local_ip += 1; }));
  CHECK(refused([](Ends& there) { there.remote_ip += 1; }));
  CHECK(refused([](Ends& there) { there.local_port += 1; }));
  CHECK(refused([](Ends& there) { there.vlan = 8; }));
}

TEST_CASE("no shortened frame is read beyond its end") {
  MemoryWire wire;
  const auto ends = ends_between();
  FrameMaker maker(ends, SizeMix::only(64), {.burst = 1});
  const auto whole = make(wire, maker, 1).front();
  for (std::uint32_t bytes = 0; bytes < 64; ++bytes) {
    std::vector<std::byte> copy(whole.data, whole.data + bytes);  // of just that size: sanitizers see more
    CHECK(FrameCheck(other_end(ends), true).payload_of({.data = copy.data(), .bytes = bytes}).empty());
  }
}

TEST_CASE("a burst is of one flow, and each flow's numbers follow each other from 0") {
  MemoryWire wire;
  FrameMaker maker(ends_between(3), sizes("imix"), {.burst = 4, .run = 9});
  std::map<unsigned, std::uint64_t> next;
  std::vector<unsigned> flows;
  for (std::uint64_t first = 0; first < 240; first += 5) {  // not at a burst's beginning each time
    for (const auto& slot : make(wire, maker, 5, first)) {
      const auto head = PayloadHead::load(slot.data + header_bytes);
      CHECK(head.flow == slot.flow);
      CHECK(head.run == 9);
      CHECK(head.intended_ns == 1234);
      CHECK(head.number == next[head.flow]++);
      flows.push_back(head.flow);
    }
  }
  CHECK(next.size() == 3);
  for (std::size_t i = 0; i < flows.size(); ++i) CHECK(flows[i] == i / 4 % 3);
}

TEST_CASE("a byte of payload that changed is seen, and no other payload is") {
  MemoryWire wire;
  FrameMaker maker(ends_between(), SizeMix::only(200), {.burst = 1, .pattern = true});
  const auto slot = make(wire, maker, 1, 77).front();
  const std::span payload(slot.data + header_bytes, slot.bytes - header_bytes);
  const auto head = PayloadHead::load(payload.data());
  CHECK(has_pattern(payload, head));
  for (std::size_t i = PayloadHead::bytes; i < payload.size(); ++i) {
    payload[i] ^= std::byte{1};
    CHECK_FALSE(has_pattern(payload, head));
    payload[i] ^= std::byte{1};
  }
}

TEST_CASE("a frame that is turned around goes back to its sender, and turned twice is as it was") {
  MemoryWire wire;
  const auto ends = ends_between(1, GENERATE(values<std::optional<std::uint16_t>>({std::nullopt, 7})));
  FrameMaker maker(ends, SizeMix::only(64), {.burst = 1});
  const auto slot = make(wire, maker, 1).front();
  const std::vector<std::byte> before(slot.data, slot.data + slot.bytes);
  turn_around({slot.data, slot.bytes});
  CHECK_FALSE(FrameCheck(ends, true).payload_of(slot).empty());
  turn_around({slot.data, slot.bytes});
  CHECK(std::vector<std::byte>(slot.data, slot.data + slot.bytes) == before);
}

TEST_CASE("a checksum that was left to hardware is completed") {
  // UDP of an odd length over IPv4: what Linux leaves there is the sum of the pseudo header alone.
  const auto trace = make_trace({.kind = "imix", .packets = 50});
  unsigned completed = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    std::vector<std::byte> frame(trace[i].bytes.begin(), trace[i].bytes.end());
    const auto layers = format::find_layers(frame, trace[i].wirelen);
    if (layers.protocol != 17 && layers.protocol != 6) continue;
    const auto place = layers.transport + (layers.protocol == 6 ? 16u : 6u);
    const auto good = frame;
    frame[place] ^= std::byte{0x5a};
    complete_checksum(frame);
    CHECK(frame == good);
    ++completed;
  }
  CHECK(completed > 0);
}

TEST_CASE("a mix has its shares exactly, and its mean is the published one") {
  const auto [text, mean, least, most] = GENERATE(
      table<std::string, double, std::uint32_t, std::uint32_t>({{"64", 64, 64, 64},
                                                                {"imix", (7 * 64 + 4 * 590 + 1514) / 12.0, 64, 1514},
                                                                {"caida", 776.22, 72, 1514},
                                                                {"64:3,1500:1", 423, 64, 1500}}));
  const auto mix = sizes(text);
  CHECK(mix.mean() == Approx(mean));
  CHECK(mix.least() == least);
  CHECK(mix.most() == most);
}

TEST_CASE("sizes that are none are refused in half a sentence") {
  const auto [text, words] =
      GENERATE(table<std::string, std::string>({{"63", "63 bytes, without FCS, is not within 64"},
                                                {"0", "is not within"},
                                                {"70000", "is not within"},
                                                {"", "is not a length"},
                                                {"64:", "is not a length"},
                                                {"64:0", "is not a length"},
                                                {"64,,65", "is not a length"},
                                                {"big", "\"big\" is not a length"},
                                                {"file:/nonexistent", "cannot be read"}}));
  const auto mix = SizeMix::parse(text);
  CAPTURE(text);
  REQUIRE_FALSE(mix);
  CHECK_THAT(mix.error(), Contains(words));
}

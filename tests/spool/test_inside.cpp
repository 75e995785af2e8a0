// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>

#include "filter/compiled.hpp"
#include "format/community_id.hpp"
#include "format/key_set.hpp"
#include "format/tunnels.hpp"
#include "spool/random_traffic.hpp"
#include "spool/reading_rig.hpp"
#include "spool/tunnels.hpp"
#include "support/catch.hpp"
#include "support/frame.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

// Of all layers of a packet, the ends of those that have some.
std::vector<format::FlowEnds> ends_in(const PacketView& packet) {
  std::vector<format::FlowEnds> all;
  auto layer = format::outer_layer(packet.bytes, 1);
  for (int depth = 0; layer && depth < 8; ++depth, layer = format::inner_layer(packet.bytes, *layer)) {
    if (const auto ends = format::flow_ends(packet.bytes, *layer)) all.push_back(*ends);
  }
  return all;
}

std::string address_text(const format::FlowEnds& ends, std::size_t end) {
  const auto low = ends.addresses[end].low;
  const auto octet = [low](unsigned shift) { return std::to_string(low >> shift & 255); };
  std::ostringstream hex;
  hex << std::hex << (low >> 16) << ":" << (low & 0xffff);
  return ends.is_ipv6 ? "2001:db8::" + hex.str() : octet(24) + "." + octet(16) + "." + octet(8) + "." + octet(0);
}

std::string end_text(const format::FlowEnds& ends, std::size_t end) {
  const auto address = address_text(ends, end);
  return (ends.is_ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(ends.ports[end]);
}

// The flow of some packet, at any depth of it.
std::optional<format::FlowEnds> some_ends(Random& random, const Trace& trace) {
  for (int tries = 0; tries < 1000; ++tries) {
    const auto all = ends_in(trace[random.below(trace.size())]);
    if (all.empty()) continue;
    const auto& ends = all[random.below(all.size())];
    const auto usual = [](const format::Ipv6Address& address) {
      return address.high == 0x20010db800000000 && address.low >> 32 == 0;
    };
    const bool tidy = !ends.is_ipv6 || std::ranges::all_of(ends.addresses, usual);
    if (ends.has_ports && tidy && ends.protocol != 1) return ends;
  }
  return std::nullopt;
}

Filter random_flow(Random& random, const Trace& trace) {
  const auto ends = *some_ends(random, trace);
  return *Filter::flow(end_text(ends, 0) + (random.below(2) == 0 ? " > " : " <> ") + end_text(ends, 1));
}

Filter valid_expression(Random& random) {
  while (true) {
    if (auto filter = Filter::compile(random_filter(random, static_cast<unsigned>(random.below(4))))) return *filter;
  }
}

Filter random_demand(Random& random, const Trace& trace, unsigned depth = 2) {
  if (depth > 0 && random.below(3) == 0) {
    auto a = random_demand(random, trace, depth - 1), b = random_demand(random, trace, depth - 1);
    return random.below(2) == 0 ? Filter::all(a, b) : Filter::any(a, b);
  }
  auto filter = random.below(4) == 0   ? *Filter::community_id(format::community_id(*some_ends(random, trace))->text())
                : random.below(2) == 0 ? random_flow(random, trace)
                                       : valid_expression(random);
  return random.below(2) == 0 ? filter.inside_too() : filter;
}

struct Laid {
  TempDir directory;
  std::optional<Spool> spool;

  explicit Laid(const Trace& trace) {
    Layout layout;
    layout.directories = {directory / "a", directory / "b"};
    for (const auto& path : layout.directories) std::filesystem::create_directory(path);
    layout.index = Layout::Index::flow;
    layout.block_bytes = 1024;
    lay_out(trace, layout);
    write_pcap(trace, directory / "all.pcap");
    spool = *Spool::open({layout.directories[0].string(), layout.directories[1].string()});
  }
};

Trace ask(const Spool& spool, const Filter& filter, bool use_index, std::uint64_t& left_out) {
  Query query;
  query.filter = filter;
  query.use_index = use_index;
  Merge merge(spool, query);
  auto packets = read_all(merge);
  left_out += merge.progress().bytes_left_out;
  return packets;
}

std::vector<std::string> tshark_lines(const std::string& file, Command more) {
  Command command{"tshark", "-n", "-r", file};
  command.insert(command.end(), more.begin(), more.end());
  const auto asked = run_process(command, Seconds(120));
  INFO(asked.describe());
  REQUIRE(asked.ok());
  std::vector<std::string> lines;
  std::istringstream stream(asked.out);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("no Block is left out that has a packet of a flow or ID that is asked for, in tunnels or not") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto trace = random_tunnels(random, 400);
  format::KeyCollector collector;
  std::vector<std::vector<std::byte>> filters(trace.size());
  for (std::size_t i = 0; i < trace.size(); ++i) {
    collector.add(trace[i].bytes);
    (void)collector.take(filters[i]);  // a packet that is cut has no keys: a filter of one empty line
  }
  std::size_t matched = 0, left_out = 0;
  for (int round = 0; round < 1000; ++round) {
    auto filter = random_demand(random, trace);
    for (std::size_t i = 0; i < trace.size(); ++i) {
      const bool may = format::KeySet(filters[i]).may_match(filter.compiled().condition);
      const bool does = filter.matches({trace[i], 1, 0, {}});
      if (does && !may) FAIL(filter.expression() << " matches packet " << i);
      matched += does ? 1 : 0;
      left_out += may ? 0 : 1;
    }
  }
  CHECK(matched > 3'000);
  CHECK(left_out > 30'000);
}

TEST_CASE("a flow, a Community ID and what is inside of tunnels give the same packets with an index and without") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto trace = random_tunnels(random, 3000, {.tunnelled_of_100 = 3});
  const Laid laid(trace);
  std::uint64_t left_out = 0, nothing = 0, found = 0;
  for (int round = 0; round < 60; ++round) {
    const auto filter = random_demand(random, trace);
    INFO(filter.expression());
    const auto packets = ask(*laid.spool, filter, true, left_out);
    REQUIRE(compare_in_order(ask(*laid.spool, filter, false, nothing), packets) == "");
    found += packets.size();
  }
  CHECK(left_out > 0);
  CHECK(nothing == 0);
  CHECK(found > 0);
}

TEST_CASE("a flow that is asked for is what tcpdump finds by addresses and ports, one way and both") {
  if (!have_program("tcpdump")) {
    WARN("tcpdump is not installed");
    return;
  }
  TraceSpec spec;
  spec.kind = "imix";
  spec.packets = 3000;
  spec.flows = 12;
  const auto trace = make_trace(spec);
  const Laid laid(trace);
  std::uint64_t left_out = 0;
  Random random(3);
  for (int round = 0; round < 10; ++round) {
    const auto ends = *some_ends(random, trace);
    const auto one = end_text(ends, 0), other = end_text(ends, 1);
    const auto way = [&ends](std::size_t from, std::size_t to) {
      return "(src host " + address_text(ends, from) + " and src port " + std::to_string(ends.ports[from]) +
             " and dst host " + address_text(ends, to) + " and dst port " + std::to_string(ends.ports[to]) + ")";
    };
    for (const bool both : {false, true}) {
      const auto packets = ask(*laid.spool, *Filter::flow(one + (both ? "<>" : ">") + other), true, left_out);
      const auto out = laid.directory / "tcpdump.pcap";
      REQUIRE(run_process({"tcpdump", "--nano", "-r", laid.directory / "all.pcap", "-w", out,
                           both ? way(0, 1) + " or " + way(1, 0) : way(0, 1)})
                  .ok());
      CHECK(packets.size() > 0);
      CHECK(compare_in_order(read_pcap(out), packets) == "");
    }
  }
}

TEST_CASE("tshark calls each packet by the same Community ID, in tunnels by that of the innermost packet") {
  if (!have_program("tshark")) {
    WARN("tshark is not installed");
    return;
  }
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto trace = random_tunnels(random, 2000, {.tunnelled_of_100 = 30, .tidy = true});
  const TempDir directory;
  write_pcap(trace, directory / "all.pcap");
  const auto lines =
      tshark_lines(directory / "all.pcap", {"--enable-protocol", "communityid", "-T", "fields", "-e", "communityid"});
  REQUIRE(lines.size() == trace.size());
  std::size_t named = 0;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    INFO("packet " << i);
    const auto all = ends_in(trace[i]);
    REQUIRE_FALSE(all.empty());
    const auto ours = format::community_id(all.back());
    REQUIRE(ours);
    CHECK(ours->text() == lines[i]);
    named += lines[i].empty() ? 0 : 1;
    auto filter = Filter::community_id(lines[i])->inside_too();
    CHECK(filter.matches({trace[i], 1, 0, {}}));
  }
  CHECK(named == trace.size());
}

TEST_CASE("tshark sees the same hosts inside of tunnels") {
  if (!have_program("tshark")) {
    WARN("tshark is not installed");
    return;
  }
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto trace = random_tunnels(random, 1500, {.tunnelled_of_100 = 70, .tidy = true});
  const TempDir directory;
  write_pcap(trace, directory / "all.pcap");
  for (const auto* text : {"10.0.0.3", "10.0.0.17", "2001:db8::a00:5"}) {
    const std::string address = text;
    const bool ipv6 = address.find(':') != std::string::npos;
    std::vector<std::string> ours;
    // tshark looks behind VLAN tags; libpcap where it is told to.
    const auto host = "host " + address;
    auto filter = Filter::compile(host + " or (vlan and (" + host + " or (vlan and " + host + ")))")->inside_too();
    for (std::size_t i = 0; i < trace.size(); ++i) {
      if (filter.matches({trace[i], 1, 0, {}})) ours.push_back(std::to_string(i + 1));
    }
    const auto theirs = tshark_lines(directory / "all.pcap", {"-Y", (ipv6 ? "ipv6.addr == " : "ip.addr == ") + address,
                                                              "-T", "fields", "-e", "frame.number"});
    INFO(address);
    CHECK(ours.size() > 0);
    CHECK(ours == theirs);
  }
}

TEST_CASE("a packet in packets without end is looked into eight layers deep, and no deeper") {
  const auto nested = [](unsigned layers) {
    FrameBuilder frame;
    frame.mac_addresses(1);
    frame.u16(0x0800);
    for (; layers > 0; --layers) frame.ipv4(20 * (layers + 1), 4, 0x0a000001, 0x0a000002);
    frame.ipv4(20, 255, 0x0a000063, 0x0a000063);
    return frame.bytes();
  };
  auto filter = Filter::compile("host 10.0.0.99")->inside_too();
  const auto finds = [&](unsigned layers) {
    const auto bytes = nested(layers);
    return filter.matches({{Timestamp{1}, static_cast<std::uint32_t>(bytes.size()), bytes}, 1, 0, {}});
  };
  CHECK(finds(0));
  CHECK(finds(8));
  CHECK_FALSE(finds(9));
  CHECK_FALSE(finds(3000));
}

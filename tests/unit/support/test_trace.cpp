// SPDX-License-Identifier: BSD-3-Clause
#include "support/trace.hpp"

#include <algorithm>
#include <set>

#include "support/catch.hpp"
#include "support/outside_tools.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

Trace trace_of(const std::string& kind, std::uint64_t packets = 2000, std::uint64_t seed = 7) {
  return make_trace({.kind = kind, .packets = packets, .seed = seed});
}

std::uint64_t number_at(const PacketView& packet, std::size_t offset) {
  std::uint64_t number = 0;
  for (const auto byte : packet.bytes.subspan(offset, 8)) number = number << 8 | std::to_integer<std::uint64_t>(byte);
  return number;
}

std::pair<std::uint32_t, std::uint32_t> shortest_and_longest(const Trace& trace) {
  std::pair<std::uint32_t, std::uint32_t> found{~0u, 0};
  for (std::size_t i = 0; i < trace.size(); ++i)
    found = {std::min(found.first, trace[i].wirelen), std::max(found.second, trace[i].wirelen)};
  return found;
}

using Range = std::pair<std::uint32_t, std::uint32_t>;

}  // namespace

TEST_CASE("the same spec makes the same packets, another seed others") {
  for (const auto& kind : trace_kinds()) {
    INFO(kind);
    CHECK(compare_in_order(trace_of(kind), trace_of(kind)) == "");
    CHECK(compare_in_order(trace_of(kind), trace_of(kind, 2000, 8)) != "");
  }
}

TEST_CASE("every kind has the lengths it promises") {
  CHECK(shortest_and_longest(trace_of("64")) == Range(64, 64));
  CHECK(shortest_and_longest(trace_of("1514")) == Range(1514, 1514));
  CHECK(shortest_and_longest(trace_of("1")) == Range(1, 1));
  CHECK(shortest_and_longest(trace_of("imix")) == Range(60, 1514));
  CHECK(shortest_and_longest(trace_of("caida")) == Range(60, 1514));
  CHECK(shortest_and_longest(trace_of("vlan")) == Range(64, 1518));
  CHECK(shortest_and_longest(trace_of("qinq")) == Range(68, 1514));
  CHECK(shortest_and_longest(trace_of("stacked")) == Range(68, 1514));
  CHECK(shortest_and_longest(trace_of("empty")) == Range(14, 54));
  CHECK(shortest_and_longest(trace_of("lengths")) == Range(1, 1514));
  CHECK(shortest_and_longest(trace_of("ipv6")) == Range(78, 1514));
  CHECK(shortest_and_longest(trace_of("jumbo")).second == 9014);
  CHECK(shortest_and_longest(trace_of("jumbo")).first >= 1515);
  CHECK(shortest_and_longest(trace_of("mixed")) == Range(14, 1518));
}

TEST_CASE("the mean of the CAIDA-like mix is about 780 bytes") {
  const auto trace = trace_of("caida", 20000);
  const auto mean = trace.bytes() / trace.size();
  CHECK(mean > 760);
  CHECK(mean < 800);
}

TEST_CASE("every packet carries its number") {
  const auto plain = make_trace({.kind = "imix", .packets = 500, .first_number = 1000});
  const auto tagged = make_trace({.kind = "qinq", .packets = 500, .first_number = 1000});
  const auto six = make_trace({.kind = "ipv6", .packets = 500, .first_number = 1000});
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CHECK(number_at(plain[i], 42) == 1000 + i);
    CHECK(number_at(tagged[i], 50) == 1000 + i);
    CHECK(number_at(six[i], 62) == 1000 + i);
  }
}

TEST_CASE("no two packets of 14 bytes or more are the same") {
  for (const auto& kind : trace_kinds()) {
    INFO(kind);
    const auto trace = make_trace({.kind = kind, .packets = 5000, .min_bytes = 14});
    std::set<std::vector<std::byte>> seen;
    for (std::size_t i = 0; i < trace.size(); ++i) seen.emplace(trace[i].bytes.begin(), trace[i].bytes.end());
    CHECK(seen.size() == trace.size());
  }
}

TEST_CASE("times grow from packet to packet") {
  CHECK(check_times(trace_of("mixed")) == "");
  const auto trace = trace_of("mixed");
  CHECK(trace[0].time < trace[1].time);
}

TEST_CASE("a written trace reads back the same, times to the nanosecond") {
  const TempDir dir;
  for (const auto& kind : trace_kinds()) {
    INFO(kind);
    const auto written = trace_of(kind, 300);
    write_pcap(written, dir / "trace.pcap");
    const auto read = read_pcap(dir / "trace.pcap");
    CHECK(compare_in_order(written, read) == "");
    CHECK(read[299].time == written[299].time);
  }
}

TEST_CASE("a file that is not a pcap is an error") {
  const TempDir dir;
  CHECK_THROWS(read_pcap(dir / "nothing.pcap"));
  CHECK_THROWS(make_trace({.kind = "nonsense"}));
}

TEST_CASE("tcpdump, tshark and capinfos count what was written") {
  if (!missing_outside_tools().empty()) {
    WARN("skipped: " + missing_outside_tools()[0] + " is not installed");
    return;
  }
  const TempDir dir;
  const auto trace = trace_of("mixed", 1000);
  write_pcap(trace, dir / "trace.pcap");
  CHECK(ask_tcpdump(dir / "trace.pcap").packets == 1000);
  CHECK(ask_tshark(dir / "trace.pcap").packets == 1000);
  const auto capinfos = ask_capinfos(dir / "trace.pcap");
  INFO(capinfos.complaint);
  CHECK(capinfos.packets == 1000);
  CHECK(capinfos.data_bytes == trace.bytes());
  CHECK(capinfos.nanoseconds);
  CHECK(capinfos.in_time_order);
}

TEST_CASE("tcpdump and capinfos complain about a file that was cut") {
  if (!missing_outside_tools().empty()) {
    WARN("skipped: " + missing_outside_tools()[0] + " is not installed");
    return;
  }
  const TempDir dir;
  write_pcap(trace_of("1514", 10), dir / "trace.pcap");
  std::filesystem::resize_file(dir / "trace.pcap", 5000);
  CHECK_FALSE(ask_tcpdump(dir / "trace.pcap").understood);
  CHECK_FALSE(ask_tshark(dir / "trace.pcap").understood);
  CHECK_FALSE(ask_capinfos(dir / "trace.pcap").understood);
}

TEST_CASE("tshark finds no wrong checksum") {
  if (!have_program("tshark")) {
    WARN("skipped: tshark is not installed");
    return;
  }
  const TempDir dir;
  for (const std::string kind : {"imix", "ipv6", "vlan", "qinq", "stacked", "empty"}) {
    INFO(kind);
    write_pcap(trace_of(kind, 300), dir / "trace.pcap");
    const auto result = run_process(
        {"tshark", "-n", "-r", dir / "trace.pcap", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
         "-Y", "ip.checksum.status == \"Bad\" || udp.checksum.status == \"Bad\" || udp.length.bad"});
    CHECK(result.ok());
    CHECK(result.out == "");
  }
}

// SPDX-License-Identifier: BSD-3-Clause
#include <random>

#include "filter/compiled.hpp"
#include "format/key_set.hpp"
#include "spool/random_traffic.hpp"
#include "spool/reading_rig.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

std::string valid_filter(Random& random, unsigned depth = 3) {
  while (true) {
    const auto expression = random_filter(random, depth);
    if (Filter::compile(expression)) return expression;
  }
}

Query query_of(const std::string& expression) {
  Query query;
  query.filter = *Filter::compile(expression);
  return query;
}

}  // namespace

TEST_CASE("no Block is left out that has a packet which libpcap matches") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const auto trace = random_traffic(random, 400);
  format::KeyCollector collector;
  std::vector<std::vector<std::byte>> filters(trace.size());
  for (std::size_t i = 0; i < trace.size(); ++i) {
    collector.add(trace[i].bytes);
    REQUIRE(collector.take(filters[i]) > 0);
  }
  std::size_t matched = 0, left_out = 0;
  for (int round = 0; round < 1500; ++round) {
    const auto expression = valid_filter(random, static_cast<unsigned>(random.below(5)));
    auto filter = *Filter::compile(expression);
    const auto& condition = filter.compiled().condition;
    for (std::size_t i = 0; i < trace.size(); ++i) {
      const StoredPacket packet{trace[i], 1, 0, {}};
      const bool may = format::KeySet(filters[i]).may_match(condition);
      const bool does = filter.matches(packet);
      if (does && !may) FAIL(expression << " matches packet " << i);
      matched += does ? 1 : 0;
      left_out += may ? 0 : 1;
    }
  }
  CHECK(matched > 10'000);
  CHECK(left_out > 50'000);
}

TEST_CASE("a filter gives the same packets with an index, without one, and from tcpdump") {
  if (!have_program("tcpdump")) {
    WARN("tcpdump is not installed");
    return;
  }
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  TempDir directory;
  const auto trace = random_traffic(random, 3000);
  Layout layout;
  layout.directories = {directory / "a", directory / "b"};
  for (const auto& path : layout.directories) std::filesystem::create_directory(path);
  layout.index = Layout::Index::flow;
  layout.block_bytes = 2048;
  lay_out(trace, layout);
  write_pcap(trace, directory / "all.pcap");
  const auto spool = Spool::open({layout.directories[0].string(), layout.directories[1].string()});
  std::uint64_t left_out = 0;
  for (int round = 0; round < 60; ++round) {
    const auto expression = valid_filter(random);
    INFO(expression);
    auto query = query_of(expression);
    Merge with(*spool, query);
    const auto packets = read_all(with);
    left_out += with.progress().bytes_left_out;
    query.use_index = false;
    Merge without(*spool, query);
    REQUIRE(compare_in_order(read_all(without), packets) == "");
    const auto asked =
        run_process({"tcpdump", "--nano", "-r", directory / "all.pcap", "-w", directory / "tcpdump.pcap", expression});
    REQUIRE(asked.ok());
    REQUIRE(compare_in_order(read_pcap(directory / "tcpdump.pcap"), packets) == "");
  }
  CHECK(left_out > 0);
}

TEST_CASE("a host that talks in one Block has that Block read and no other") {
  TempDir directory;
  Random random(7);
  auto trace = random_traffic(random, 5000);
  Trace with_guest;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    with_guest.append(trace[i]);
    if (i != 2500) continue;
    std::vector<std::byte> frame(42);
    frame[12] = std::byte{8};
    frame[14] = std::byte{0x45};
    frame[26] = frame[30] = std::byte{203};  // 203.0.0.0 to 203.0.0.0
    with_guest.append(Timestamp{trace[i].time.ns}, frame, 42);
  }
  Layout layout;
  layout.directories = {directory.path()};
  layout.streams = 1;
  layout.index = Layout::Index::flow;
  layout.blocks_per_file = 100'000;
  layout.block_bytes = 8192;
  lay_out(with_guest, layout);
  const std::string expression = "host 203.0.0.0";
  const auto spool = Spool::open({directory.str()});
  Merge merge(*spool, query_of(expression));
  CHECK(read_all(merge).size() == 1);
  CHECK(merge.progress().bytes_read < 4 * 8192);
}

TEST_CASE("an expression that libpcap refuses is refused with its words") {
  const auto refused = Filter::compile("host");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what == "host");
  CHECK(refused.error().why.find("syntax error") != std::string::npos);
  CHECK(refused.error().what_to_do == "see pcap-filter(7)");
}

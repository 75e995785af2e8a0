// SPDX-License-Identifier: BSD-3-Clause
//
// pcapng files of the writing half, judged by libpcap, tshark and capinfos.
#include <algorithm>
#include <map>
#include <sstream>

#include "format/file_layout.hpp"
#include "format/pcap.hpp"
#include "format/pcapng.hpp"
#include "spool_rig.hpp"
#include "support/catch.hpp"
#include "support/faulty_io_queue.hpp"
#include "support/outside_tools.hpp"
#include "support/process.hpp"
#include "support/spool_files.hpp"
#include "support/trace_compare.hpp"
#include "tools/verify.hpp"
#include "wirespool/merge.hpp"

using namespace wirespool;
using namespace wirespool::test;

namespace {

constexpr std::size_t sources = 3;

format::FileLayout pcapng_layout() {
  auto front = format::pcapng_section_header({.hardware = "a CPU", .os = "an OS", .application = "a test"});
  for (std::size_t i = 0; i < sources; ++i) {
    const auto block = format::pcapng_interface_block(
        {.linktype = format::linktype_ethernet, .snaplen = format::max_snaplen, .name = "port" + std::to_string(i)});
    front.insert(front.end(), block.begin(), block.end());
  }
  format::FileLayout layout(format::PcapngRecords(), sources);
  layout.describe(std::move(front));
  return layout;
}

// What a trace is fed with: some packets of one source, and in front of some, packets that are missing.
struct Fed {
  std::map<std::uint32_t, std::uint64_t> packets, missing;
};

Fed feed(SpoolRig& rig, const TraceRefs& refs, std::uint64_t nic = 2) {
  Fed fed;
  const auto all = refs.span();
  for (std::size_t at = 0, burst = 0; at < all.size(); at += 40, ++burst) {
    const auto source = static_cast<std::uint32_t>(burst % sources);
    const auto part = all.subspan(at, std::min<std::size_t>(40, all.size() - at));
    format::MissingPackets missing;
    if (burst % 10 == 0) missing = {.nic_missed = nic, .drop_handoff = burst + 1};
    rig.writer().appender(0).comes_from(source, missing);
    rig.feed(0, part);
    fed.packets[source] += part.size();
    if (missing.sum() > 0) fed.missing[source] += missing.sum();
  }
  return fed;
}

struct TsharkCounts {
  std::map<std::uint32_t, std::uint64_t> packets, missing;
};

TsharkCounts ask_tshark_for_sources(const std::vector<std::filesystem::path>& directories) {
  TsharkCounts counts;
  for (const auto& file : sealed_files(directories)) {
    const auto told = run_process(
        {"tshark", "-r", file.string(), "-T", "fields", "-e", "frame.interface_id", "-e", "frame.drop_count"});
    INFO(told.describe());
    REQUIRE(told.ok());
    std::istringstream lines(told.out);
    for (std::string line; std::getline(lines, line);) {
      const auto tab = line.find('\t');
      const auto source = static_cast<std::uint32_t>(std::stoul(line.substr(0, tab)));
      counts.packets[source] += 1;
      if (tab + 1 < line.size()) counts.missing[source] += std::stoull(line.substr(tab + 1));
    }
  }
  return counts;
}

std::vector<std::string> places_of(const SpoolRig& rig) {
  std::vector<std::string> places;
  for (const auto& directory : rig.directories()) places.push_back(directory.string());
  return places;
}

// What the files' statistics say was lost, of all files; each is checked by `verify`.
format::MissingPackets told_by_statistics(const SpoolRig& rig) {
  format::MissingPackets sum;
  const auto report = tools::verify(places_of(rig));
  REQUIRE(report);
  for (const auto& file : report->files) {
    INFO(file.path);
    for (const auto& problem : file.problems) UNSCOPED_INFO(problem);
    CHECK(file.problems.empty());
    CHECK(file.tells_sources);
    sum += file.missing;
  }
  return sum;
}

}  // namespace

TEST_CASE("a pcapng file says where each packet is from and where some are missing, and tshark shows it", "[spool]") {
  const auto layout = pcapng_layout();
  const auto drives = GENERATE(1u, 2u);
  const auto trace = make_trace({.kind = GENERATE("mixed", "jumbo"), .packets = 400});
  auto queue = storage::make_pwrite_queue({.entries = 16});
  SpoolRig rig({.drives = drives, .block_bytes = 16 << 10, .rotate_size = 256 << 10, .layout = &layout}, *queue);
  const TraceRefs refs(trace, {.chain_above = 3'000});
  const auto fed = feed(rig, refs);
  rig.finish();
  CHECK(compare_in_order(trace, read_spool(rig.directories())) == "");
  CHECK(rig.counters().stored.get() == trace.size());
  const auto told = ask_tshark_for_sources(rig.directories());
  CHECK(told.packets == fed.packets);
  CHECK(told.missing == fed.missing);
  for (const auto& file : sealed_files(rig.directories())) {
    CHECK(file.extension() == ".pcapng");
    CHECK(ask_capinfos(file).complaint == "");
    CHECK(ask_tcpdump(file).complaint == "");
  }
  std::uint64_t missing = 0;
  for (const auto& [source, packets] : fed.missing) missing += packets;
  CHECK(told_by_statistics(rig).sum() == missing);
}

TEST_CASE("what no packet follows is in the statistics of the file that was open", "[spool]") {
  const auto layout = pcapng_layout();
  const auto trace = make_trace({.kind = "60", .packets = 100});
  auto queue = storage::make_pwrite_queue({.entries = 16});
  SpoolRig rig({.layout = &layout}, *queue);
  const TraceRefs refs(trace);
  feed(rig, refs, 0);
  rig.writer().appender(0).comes_from(2, {.nic_missed = 11, .no_mbuf = 1});
  rig.writer().appender(0).comes_from(1, {.drop_handoff = 5});
  rig.finish();
  const auto told = told_by_statistics(rig);
  CHECK(told.nic_missed == 11);
  CHECK(told.no_mbuf == 1);
  CHECK(told.drop_handoff == 5 + 1);
}

TEST_CASE("what a drive did not take goes to the others with its source and what is missing", "[spool][faulty]") {
  const auto layout = pcapng_layout();
  const auto from = GENERATE(0u, 3u, 17u);
  const auto trace = make_trace({.kind = "mixed", .packets = 1'500});
  FaultyIoQueue queue({.delay = 3});
  SpoolRig rig({.drives = 2, .block_bytes = 16 << 10, .rotate_size = 256 << 10, .layout = &layout}, queue);
  queue.add_death({.directory = rig.directory(1).string(), .from = from, .result = -ENOSPC});
  const TraceRefs refs(trace);
  const auto fed = feed(rig, refs);
  rig.finish();
  CHECK(rig.counters().stored.get() == trace.size());
  CHECK(compare_as_set(trace, read_spool(rig.directories())) == "");
  const auto told = ask_tshark_for_sources(rig.directories());
  CHECK(told.packets == fed.packets);
  CHECK(told.missing == fed.missing);
  std::uint64_t missing = 0;
  for (const auto& [source, packets] : fed.missing) missing += packets;
  CHECK(told_by_statistics(rig).sum() == missing);
}

TEST_CASE("tails reach a pcapng file that tshark reads before it is sealed", "[spool]") {
  const auto layout = pcapng_layout();
  const auto trace = make_trace({.kind = "60", .packets = 200});
  auto queue = storage::make_pwrite_queue({.entries = 16});
  SpoolRig rig({.layout = &layout}, *queue);
  const TraceRefs refs(trace);
  const auto fed = feed(rig, refs);
  const Timestamp later{trace[trace.size() - 1].time.ns + 2'000'000'000};
  for (int i = 0; i < 5; ++i) rig.turn(later);
  const auto hidden = hidden_files(rig.directories());
  REQUIRE_FALSE(hidden.empty());
  std::uint64_t seen = 0;
  for (const auto& file : hidden) seen = std::max(seen, ask_tcpdump(file).packets);
  CHECK(seen == trace.size());
  rig.finish();
  CHECK(ask_tshark_for_sources(rig.directories()).missing == fed.missing);
}

TEST_CASE("a query of pcapng files with an index finds what it finds without", "[spool]") {
  const auto layout = pcapng_layout();
  const auto trace = make_trace({.kind = "mixed", .packets = 5'000, .flows = 400});
  auto queue = storage::make_pwrite_queue({.entries = 16});
  SpoolRig rig({.block_bytes = 16 << 10, .rotate_size = 1 << 20, .filter_bytes = 1 << 20, .layout = &layout}, *queue);
  const TraceRefs refs(trace);
  feed(rig, refs);
  rig.finish();
  const auto spool = Spool::open(places_of(rig));
  REQUIRE(spool);
  for (const auto& file : spool->files()) CHECK(file.index == SpoolEntry::Index::flow);
  Query query;
  query.from = trace[1'000].time;
  query.to = trace[1'100].time;
  std::size_t found = 0;
  Merge merge(*spool, query);
  while (const auto* packet = merge.next()) CHECK(packet->view.time == trace[1'000 + found++].time);
  CHECK(merge.outcome());
  for (const auto& notice : merge.notices()) {
    INFO(notice);
    CHECK(notice.find("only its packets are taken over") != std::string::npos);  // and the index is used
  }
  CHECK(found == 100);
  CHECK(merge.progress().bytes_left_out > 0);
}

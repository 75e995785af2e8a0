// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "machines.hpp"
#include "options/values.hpp"
#include "plan/feature_costs.hpp"
#include "plan/sizing.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::options;
using namespace wirespool::plan;
using wirespool::test::problems_of;

namespace {

using Json = nlohmann::json;

// A writer lcore takes 59.41 ns for 64 bytes: a nanosecond an instruction. An RX lcore 10, or 100 if it builds.
StageRates a_rates() {
  const double build = 1e3 / writer_instructions().short_frames;
  const auto flat = [](double mpps) { return RateCurve{{64, mpps}, {1518, mpps}}; };
  return {"nowhere", flat(100), flat(build), flat(10), Regime::cached};
}

Demand a_demand() { return {.bits_per_s = *parse_size("10G"), .mix = *parse_mix("64"), .checksum = false}; }

Sizing must_size(const Demand& demand) {
  const auto sizing = size_capture(demand, a_rates());
  if (!sizing) throw std::runtime_error(problems_of(sizing.error()));
  return *sizing;
}

Json as_json(const Demand& demand) { return Json::parse(to_json(demand, a_rates(), must_size(demand))); }

std::string as_text(const Demand& demand) { return describe(demand, a_rates(), must_size(demand)); }

Json baseline() {
  std::ifstream file(WIRESPOOL_SOURCE_ROOT "/bench/instructions/baseline.json");
  return Json::parse(file).at("g++ 12, DPDK 22.11, x86-64-v3");
}

// The count of `name`, less that of `without`.
PerPacket counted(const std::string& name, const std::string& without = "") {
  static const auto counts = baseline();
  const auto of = [](const std::string& what, const char* frames, const std::string& behind) {
    return counts.at(what + ", " + frames + behind).get<double>();
  };
  const auto split = name.find('|');  // a suffix behind the frames
  const auto head = name.substr(0, split), tail = split == name.npos ? "" : name.substr(split + 1);
  PerPacket cost{of(head, "64 B", tail), of(head, "CAIDA-like", tail)};
  if (without.empty()) return cost;
  return {cost.short_frames - of(without, "64 B", ""), cost.mixed_frames - of(without, "CAIDA-like", "")};
}

void check_same(const PerPacket& table, const PerPacket& count) {
  CHECK(table.short_frames == Approx(count.short_frames));
  CHECK(table.mixed_frames == Approx(count.mixed_frames));
}

}  // namespace

TEST_CASE("what options cost is what bench/instructions.sh counted") {
  const auto& table = feature_table();
  check_same(writer_instructions(), counted("packets: writer lcore"));
  check_same(table.checksum.instructions, counted("checksums: writer lcore"));
  check_same(table.flow_index.instructions, counted("index flow: writer lcore"));
  check_same(table.filter.instructions, counted("until rx, --filter by librte_bpf", "until rx"));
  check_same(table.slice.instructions, counted("packets: rx lcore, --slice l4", "packets: rx lcore"));
  check_same(table.flows.instructions, counted("until rx, --flows", "until rx"));
  check_same(table.pcapng_rx.instructions, counted("packets: rx lcore|, pcapng", "packets: rx lcore"));
  check_same(table.pcapng_writer.instructions, counted("packets: writer lcore|, pcapng", "packets: writer lcore"));
  check_same(table.pcapng_blocks.instructions, counted("blocks: rx lcore|, pcapng", "blocks: rx lcore"));
}

TEST_CASE(
    "between frames of 64 bytes and the mix a cost grows with their length, and is never less than for the least") {
  const PerPacket cost{10, 20};
  CHECK(of_frames(cost, 64) == Approx(10));
  CHECK(of_frames(cost, 422) == Approx(15));
  CHECK(of_frames(cost, 780) == Approx(20));
  CHECK(of_frames({20, 10}, 1518) == Approx(10));
}

TEST_CASE("what is on takes its time on the lcore that pays for it, and the plan has lcores for that") {
  auto demand = a_demand();
  const auto bare = must_size(demand);
  CHECK(bare.features.empty());
  CHECK(bare.rx_with_features_mpps == Approx(bare.rx_mpps));
  CHECK(bare.writer_with_features_mpps == Approx(bare.writer_mpps));
  demand.checksum = true;
  const auto summed = must_size(demand);
  CHECK(summed.rx_with_features_mpps == Approx(bare.rx_mpps));
  CHECK(summed.writer_with_features_mpps == Approx(1e3 / (59.41 + 11.69)));
  demand.slice = demand.filter = true;  // 10 ns, 185.01 and 138.72 more
  const auto all = must_size(demand);
  CHECK(all.rx_with_features_mpps == Approx(1e3 / (10 + 185.01 + 138.72)));
  CHECK(bare.plan.rx_lcores.size() == 1);
  CHECK(all.plan.rx_lcores.size() == 7);  // 14.88 Mpps at 80 % of 2.996
  CHECK_THAT(as_text(demand), Catch::Contains("3.0 Mpps each at most (100.0 with nothing on)"));
}

TEST_CASE("what was measured counts as measured, what was only counted is computed from that, and each says so") {
  auto demand = a_demand();
  demand.index = IndexLevel::flow;
  demand.flows = demand.checksum = true;
  const auto features = as_json(demand).at("features");
  REQUIRE(features.size() == 3);
  const auto of = [&](const std::string& option) {
    return *std::ranges::find_if(features, [&](const Json& one) { return one.at("option") == option; });
  };
  CHECK(of("--index flow").at("origin") == "measured");
  CHECK(of("--index flow").at("ns") == Approx(14));
  CHECK(of("--index flow").at("lcore") == "writer");
  CHECK(of("--flows").at("ns") == Approx(44));
  CHECK(of("--flows").at("lcore") == "rx");
  CHECK(of("--checksum on").at("origin") == "computed");
  CHECK(of("--checksum on").at("ns") == Approx(11.69));
  for (const auto& feature : features) CHECK_FALSE(feature.at("source").get<std::string>().empty());
  const auto queue = as_json(demand).at("queue_limits")[1];
  CHECK(queue.at("origin") == "computed");  // an RX lcore with flow records was not measured
}

TEST_CASE("an lcore that builds Blocks pays for pcapng, and the writer lcore for checksums besides its I/O") {
  auto demand = a_demand();
  demand.handoff = HandoffKind::blocks;
  CHECK_THAT(as_text(demand), Catch::Contains("nothing but I/O"));
  demand.format = FileFormat::pcapng;
  demand.checksum = true;
  const auto sizing = must_size(demand);
  CHECK(sizing.rx_with_features_mpps == Approx(1e3 / (100 + 13.05)));
  CHECK(sizing.writer_with_features_mpps == Approx(1e3 / (76 / 50.0 + 11.69)));
  CHECK(sizing.writer_mpps == 0);
  CHECK_THAT(as_text(demand), Catch::Contains("; I/O, and what is on"));
}

TEST_CASE("the command to run has what the plan was made for") {
  auto demand = a_demand();
  demand.index = IndexLevel::flow;
  demand.format = FileFormat::pcapng;
  demand.idle = Idle::adaptive;
  demand.rx_desc = 16384;
  demand.flows = demand.filter = demand.slice = true;
  const auto command = as_json(demand).at("command").get<std::string>();
  for (const auto* part : {"--index flow", "--format pcapng", "--idle adaptive", "--rx-desc 16384", "--flows DIR",
                           "--filter EXPR", "--slice l4", "--checksum off"})
    CHECK_THAT(command, Catch::Contains(part));
  CHECK(must_size(demand).plan.flow_bytes > 0);
  CHECK_THAT(as_json({.bits_per_s = 1'000'000'000, .mix = *parse_mix("64")}).at("command").get<std::string>(),
             !Catch::Contains("--checksum") && !Catch::Contains("--idle"));
}

TEST_CASE("lcores that poll take all of their CPUs") {
  const auto cpu = as_json(a_demand()).at("cpu");
  CHECK(cpu.at("idle") == "poll");
  CHECK(cpu.at("idle_rx_percent") == 100);
  CHECK(cpu.at("busy_percent") == 100);
  CHECK_THAT(as_text(a_demand()), Catch::Contains("all of a CPU for each lcore but the first"));
}

TEST_CASE("lcores that may sleep take what was measured with a ring that lasts no longer, and null where none was") {
  auto demand = a_demand();
  demand.idle = Idle::adaptive;
  demand.rx_desc = 4096;
  auto cpu = as_json(demand).at("cpu");
  CHECK(cpu.at("idle_rx_percent") == 20);
  CHECK(cpu.at("idle_writer_percent") == 12);
  CHECK(cpu.at("busy_percent").is_null());
  CHECK(cpu.at("ring_ns") == 275'251);
  CHECK(cpu.at("longest_rx_sleep_ns") == 137'625);
  demand.rx_desc = 6000;  // between two that were measured
  CHECK(as_json(demand).at("cpu").at("idle_rx_percent") == 20);
  demand.bits_per_s = 100'000'000'000;
  demand.rx_desc = 4096;  // 27.5 us: nobody measured a ring that short
  cpu = as_json(demand).at("cpu");
  CHECK(cpu.at("idle_rx_percent").is_null());
  CHECK(cpu.at("idle_writer_percent").is_null());
  CHECK_THAT(as_text(demand), Catch::Contains("receive    not known"));
  demand.rx_desc = 70'000;
  CHECK_FALSE(size_capture(demand, a_rates()));
}

// SPDX-License-Identifier: BSD-3-Clause
#include "plan/sizing.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "machines.hpp"
#include "options/values.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::options;
using namespace wirespool::plan;
using wirespool::test::problems_of;

namespace {

using Json = nlohmann::json;

// 100 ns for 64 bytes, 400 ns for 1518, at every job.
StageRates simple_rates() {
  const RateCurve curve{{64, 10}, {1518, 2.5}};
  return {"nowhere", curve, curve, curve, Regime::not_known};
}

// With nothing on that costs an lcore anything.
Demand a_demand(const std::string& rate, const std::string& mix) {
  return {.bits_per_s = *parse_size(rate), .mix = *parse_mix(mix), .checksum = false};
}

Sizing must_size(const Demand& demand, const StageRates& rates = simple_rates()) {
  const auto sizing = size_capture(demand, rates);
  if (!sizing) throw std::runtime_error(problems_of(sizing.error()));
  return *sizing;
}

Json results(double mpps_64, double mpps_1518) {
  Json measurements = Json::array();
  for (const auto* name : {"wirespool handoff, packets", "wirespool block, packets", "wirespool block, blocks"}) {
    for (const double turn : {0.5, 1.0, 7.0}) {  // the median counts
      measurements.push_back(
          {{"experiment", "stages"}, {"case", "64 B"}, {"contestant", name}, {"values", {{"mpps", mpps_64 * turn}}}});
      measurements.push_back({{"experiment", "stages"},
                              {"case", "1518 B"},
                              {"contestant", name},
                              {"values", {{"mpps", mpps_1518 * turn}}}});
    }
  }
  return {{"started", "today"},
          {"machine", {{"processor", {{"model", "a CPU"}}}}},
          {"traces",
           {{{"name", "64 B"}, {"mean_bytes", 60.0}},
            {{"name", "CAIDA-like"}, {"mean_bytes", 765.0}},
            {{"name", "1518 B"}, {"mean_bytes", 1514.0}}}},
          {"measurements", measurements}};
}

}  // namespace

TEST_CASE("a mix's shares add up to one and its mean is that of its weights") {
  const auto mix = parse_mix("64:7,594:4,1518:1");
  REQUIRE(mix);
  CHECK(mean_bytes(*mix) == Approx((64 * 7 + 594 * 4 + 1518) / 12.0));
  CHECK(mean_bytes(*parse_mix("imix")) == Approx(mean_bytes(*mix)));
  CHECK(mean_bytes(*parse_mix("caida")) == Approx(780).epsilon(0.01));
  CHECK(mean_bytes(*parse_mix("128")) == 128);
}

TEST_CASE("a mix that no Ethernet link carries is refused with the reason") {
  for (const auto* text : {"", "63", "9729", "64:", "64:0", "64:-1", "64,,128", "jumbo", "64:nan", "1e3"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_mix(text));
  }
}

TEST_CASE("an lcore's rate with a mix is that of the mean time of its packets") {
  const auto curve = simple_rates().receive;
  CHECK(mpps_of(curve, *parse_mix("64")) == Approx(10));
  CHECK(mpps_of(curve, *parse_mix("1518")) == Approx(2.5));
  CHECK(mpps_of(curve, *parse_mix("64:1,1518:1")) == Approx(1e3 / 250));
  CHECK(mpps_of(curve, *parse_mix("791")) == Approx(1e3 / 250));
  CHECK(mpps_of(curve, *parse_mix("2972")) == Approx(1e3 / 700));
}

// What was measured with the CAIDA-like trace in the run that the published rates come from.
TEST_CASE("the published rates predict the mix that they were not taken from within a tenth") {
  const auto rates = published_rates();
  const auto caida = *parse_mix("caida");
  CHECK(mpps_of(rates.receive, caida) == Approx(32.4).epsilon(0.1));
  CHECK(mpps_of(rates.build, caida) == Approx(32.1).epsilon(0.1));
  CHECK(mpps_of(rates.receive_build, caida) == Approx(23.2).epsilon(0.1));
}

TEST_CASE("line rate of 64-byte frames at 10 Gbit/s is 14.88 Mpps") {
  CHECK(must_size(a_demand("10G", "64")).mpps == Approx(14.88).epsilon(0.001));
}

TEST_CASE("lcores are as many as the rate takes at the planned load") {
  auto demand = a_demand("10G", "64");  // 14.88 Mpps at 8 Mpps each
  auto sizing = must_size(demand);
  CHECK(sizing.plan.rx_lcores.size() == 2);
  CHECK(sizing.plan.writers.size() == 2);
  demand.load_percent = 40;
  sizing = must_size(demand);
  CHECK(sizing.plan.rx_lcores.size() == 4);
  CHECK(sizing.plan.config.rx_queues == 4);
}

TEST_CASE("with the hand-off of blocks one writer lcore does the I/O of all RX lcores") {
  auto demand = a_demand("40G", "64");
  demand.handoff = HandoffKind::blocks;
  const auto sizing = must_size(demand);
  CHECK(sizing.plan.rx_lcores.size() == 8);
  CHECK(sizing.plan.writers.size() == 1);
}

TEST_CASE("every port has an RX lcore, however little comes") {
  auto demand = a_demand("1G", "1518");
  demand.ports = 3;
  const auto sizing = must_size(demand);
  CHECK(sizing.plan.rx_lcores.size() == 3);
  CHECK(sizing.plan.ports.size() == 3);
}

TEST_CASE("drives take frames and record headers, and one may fail") {
  const auto demand = a_demand("40G", "1518");
  const auto sizing = must_size(demand);
  CHECK(sizing.stored_bytes_per_s == Approx(40e9 / 8 / 1538 * 1530));
  CHECK(sizing.plan.drives.size() == 3 + 1);
}

TEST_CASE("a snaplen spares drives") {
  auto demand = a_demand("40G", "1518");
  demand.snaplen = 128;
  const auto sizing = must_size(demand);
  CHECK(sizing.stored_bytes_per_s == Approx(40e9 / 8 / 1538 * 144));
  CHECK(sizing.plan.drives.size() == 1 + 1);
}

TEST_CASE("Blocks bridge the stall that was asked for") {
  auto demand = a_demand("40G", "1518");
  demand.stall_ns = 1'000'000'000;
  const auto sizing = must_size(demand);
  const auto bytes = static_cast<double>(sizing.plan.blocks) * static_cast<double>(sizing.plan.block_bytes);
  CHECK(bytes >= sizing.stored_bytes_per_s);
  CHECK(bytes < 1.01 * sizing.stored_bytes_per_s);
}

TEST_CASE("no stall at all still gives the Blocks that lcores need to run") {
  auto demand = a_demand("10G", "64");
  demand.stall_ns = 0;
  CHECK(must_size(demand).plan.blocks >= 3);
}

TEST_CASE("what cannot be is refused, all of it at once") {
  auto demand = a_demand("0", "64");
  demand.load_percent = 101;
  demand.drive_bytes_per_s = 0;
  const auto sizing = size_capture(demand, simple_rates());
  REQUIRE_FALSE(sizing);
  CHECK(sizing.error().size() == 3);
  CHECK_FALSE(size_capture(a_demand("400T", "64"), simple_rates()));
}

TEST_CASE("rates of one's own machine come from the results of bench/run.sh") {
  const auto rates = read_rates(results(20, 4).dump());
  REQUIRE(rates);
  CHECK(rates->measured_on == "a CPU, today");
  REQUIRE(rates->receive_build.size() == 2);
  CHECK(rates->receive_build[0].frame_bytes == 64);
  CHECK(rates->receive_build[0].mpps == 20);
  CHECK(rates->build[1].frame_bytes == 1518);
  CHECK(rates->build[1].mpps == 4);
}

TEST_CASE("results without the stages are refused") {
  auto document = results(20, 4);
  document["measurements"] = Json::array();
  CHECK_FALSE(read_rates(document.dump()));
  CHECK_FALSE(read_rates("{}"));
  CHECK_FALSE(read_rates("not JSON"));
}

TEST_CASE("rates say whether their frames stayed in the cache, and nobody guesses where that is not known") {
  CHECK(published_rates().regime == Regime::cached);
  auto document = results(20, 4);
  CHECK(read_rates(document.dump())->regime == Regime::not_known);
  for (auto& trace : document["traces"]) trace["packets"] = 4000;
  CHECK(read_rates(document.dump())->regime == Regime::cached);
  for (auto& trace : document["traces"]) trace["packets"] = 60000;
  CHECK(read_rates(document.dump())->regime == Regime::memory);

  const auto demand = a_demand("10G", "64");
  const auto said_of = [&](Regime regime) {
    auto rates = simple_rates();
    rates.regime = regime;
    const auto sizing = must_size(demand, rates);
    return describe(demand, rates, sizing) + Json::parse(to_json(demand, rates, sizing)).at("regime").dump();
  };
  CHECK_THAT(said_of(Regime::cached),
             Catch::Contains("frames that stay in the cache") && Catch::EndsWith("\"cached\""));
  CHECK_THAT(said_of(Regime::memory),
             Catch::Contains("frames that come out of memory") && Catch::EndsWith("\"memory\""));
  CHECK_THAT(said_of(Regime::not_known), Catch::Contains("is not known") && Catch::EndsWith("null"));
}

TEST_CASE("the sizing as JSON has the numbers of the sizing") {
  const auto demand = a_demand("10G", "64");
  const auto sizing = must_size(demand);
  const auto json = Json::parse(to_json(demand, simple_rates(), sizing));
  CHECK(json.at("rx_lcores") == sizing.plan.rx_lcores.size());
  CHECK(json.at("lcores") == 5);
  CHECK(json.at("hugepage_bytes") == sizing.plan.hugepage_bytes());
  CHECK_THAT(json.at("command").get<std::string>(), Catch::StartsWith("wirespool capture -l 0-4 -a PCI_ADDRESS -- "));
  CHECK_THAT(describe(demand, simple_rates(), sizing), Catch::Contains("14.88 M a second"));
}

namespace {

// Lines of README behind the first one that begins so, up to an empty one or one of three dots.
std::vector<std::string> lines_of_readme_behind(const std::string& begin) {
  std::ifstream readme(WIRESPOOL_SOURCE_ROOT "/README.md");
  std::string line;
  while (std::getline(readme, line) && !line.starts_with(begin)) continue;
  std::vector<std::string> lines;
  while (std::getline(readme, line) && !line.empty() && line != "...") lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("README's example of a plan is what the program says") {
  auto demand = a_demand("40G", "caida");
  demand.drive_bytes_per_s = *parse_size("2.5G");
  const auto said = describe(demand, published_rates(), must_size(demand, published_rates()));
  const auto lines = lines_of_readme_behind("$ wirespool plan --rate 40G --mix caida --drive-speed 2.5G");
  CHECK(lines.size() >= 4);
  std::string shown;
  for (const auto& line : lines) shown += line + "\n";
  CHECK_THAT(said, Catch::StartsWith(shown));
}

TEST_CASE("README's example of a NIC's limit is what the program says") {
  auto demand = a_demand("40G", "64");
  demand.nic = &*std::ranges::find(nic_families(), "xl710", &NicFamily::name);
  const auto said = describe(demand, published_rates(), must_size(demand, published_rates()));
  const auto lines = lines_of_readme_behind("$ wirespool plan --rate 40G --mix 64 --nic xl710");
  CHECK(lines.size() == 3);
  std::string shown;
  for (const auto& line : lines) shown += line + "\n";
  CHECK_THAT(said, Catch::StartsWith(shown));
}

TEST_CASE("README's table of packet rates has what its formula gives, and so has the plan") {
  const std::vector<std::string> rates{"10G", "25G", "40G", "100G"};
  const auto rows = lines_of_readme_behind("| frame with FCS |");
  REQUIRE(rows.size() == 6);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    CAPTURE(rows[i]);
    auto text = rows[i];
    std::ranges::replace(text, '|', ' ');
    std::istringstream cells(text);
    unsigned frame = 0;
    REQUIRE(cells >> frame);
    for (const auto& rate : rates) {
      std::string cell;
      REQUIRE(cells >> cell);
      const auto mpps = static_cast<double>(*parse_size(rate)) / (8 * (frame - 4 + 24)) / 1e6;
      const auto digits = cell.size() - cell.find('.') - 1;
      CHECK(std::abs(std::stod(cell) - mpps) <= 0.5000001 * std::pow(10, -static_cast<double>(digits)));
      CHECK(must_size(a_demand(rate, std::to_string(frame))).mpps == Approx(mpps).epsilon(1e-9));
    }
  }
}

// SPDX-License-Identifier: BSD-3-Clause
#include "plan/nic_limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "machines.hpp"
#include "options/values.hpp"
#include "plan/sizing.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::options;
using namespace wirespool::plan;
using wirespool::test::problems_of;

namespace {

using Json = nlohmann::json;

// 10 ns for 64 bytes, 40 ns for 1518, at every job: faster than any NIC here.
StageRates fast_rates() {
  const RateCurve curve{{64, 100}, {1518, 25}};
  return {"nowhere", curve, curve, curve, Regime::cached};
}

const NicFamily* nic(std::string_view name) {
  const auto families = nic_families();
  const auto found = std::ranges::find(families, name, &NicFamily::name);
  if (found == families.end()) throw std::runtime_error("no such family");
  return &*found;
}

Demand a_demand(const std::string& rate, const std::string& mix, std::string_view name) {
  Demand demand{.bits_per_s = *parse_size(rate), .mix = *parse_mix(mix), .checksum = false};
  if (!name.empty()) demand.nic = nic(name);
  return demand;
}

Sizing must_size(const Demand& demand) {
  const auto sizing = size_capture(demand, fast_rates());
  if (!sizing) throw std::runtime_error(problems_of(sizing.error()));
  return *sizing;
}

Json as_json(const Demand& demand) { return Json::parse(to_json(demand, fast_rates(), must_size(demand))); }

bool has_year(std::string_view date) {
  return date.size() >= 4 && std::ranges::all_of(date.substr(0, 4), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

TEST_CASE("every number of the table has its document, and nothing is in it without") {
  std::set<std::string_view> names;
  for (const auto& family : nic_families()) {
    CAPTURE(family.name);
    CHECK(names.insert(family.name).second);
    for (const auto& published : {family.queue_mpps, family.device_mpps, family.device_gbit}) {
      CHECK_FALSE(published.source.empty());
      CHECK((!published.number || published.source != Published{}.source));
      CHECK((published.date.empty() || has_year(published.date)));
    }
    CHECK(family.pcie.known() == (family.pcie_source != NicFamily{}.pcie_source));
  }
  for (const auto* name :
       {"82599", "x710", "xl710", "xl710-vf", "e810", "connectx-5", "connectx-6", "connectx-7", "ena"})
    CHECK(names.contains(name));
}

TEST_CASE("a card lets no more through than its vendor says, and lcores and drives are for that") {
  const auto demand = a_demand("40G", "64", "xl710");
  const auto sizing = must_size(demand), without = must_size(a_demand("40G", "64", ""));
  CHECK(sizing.mpps == Approx(59.52).epsilon(0.001));
  CHECK(sizing.received_mpps == 37);
  CHECK(sizing.limited_by == "NIC packet rate");
  CHECK(sizing.stored_bytes_per_s == Approx(37e6 * 76));
  CHECK(without.received_mpps == without.mpps);
  CHECK(without.limited_by.empty());
  CHECK(without.stored_bytes_per_s == Approx(without.mpps * 1e6 * 76));
  CHECK_THAT(describe(demand, fast_rates(), sizing),
             Catch::Contains("37.00 M a second, by the limit of NIC packet rate"));
}

TEST_CASE("where the link carries less than the NIC, the NIC limits nothing") {
  const auto sizing = must_size(a_demand("10G", "64", "xl710"));
  CHECK(sizing.received_mpps == sizing.mpps);
  CHECK(sizing.limited_by.empty());
}

TEST_CASE("of a queue's NIC and its lcore the smaller counts, and the output says which it was") {
  const auto of_vf = a_demand("40G", "64", "xl710-vf");  // 34.2 Mpps a queue, 80 an lcore
  CHECK(must_size(of_vf).plan.config.rx_queues == 2);
  CHECK(as_json(of_vf).at("rx_queue_limited_by") == "NIC queue");
  CHECK_THAT(describe(of_vf, fast_rates(), must_size(of_vf)),
             Catch::Contains("with 34.2 Mpps of each queue: no more was published"));
  const auto of_port = a_demand("40G", "64", "xl710");  // nothing is published of its queues
  CHECK(must_size(of_port).plan.config.rx_queues == 1);
  CHECK(as_json(of_port).at("rx_queue_limited_by") == "RX lcore");
  auto slower = of_vf;
  slower.load_percent = 20;  // 20 Mpps an lcore
  CHECK(must_size(slower).plan.config.rx_queues == 2);
  CHECK(as_json(slower).at("rx_queue_limited_by") == "RX lcore");
}

TEST_CASE("a card's bits are a limit as its packets are") {
  const auto sizing = must_size([] {
    auto demand = a_demand("200G", "1518", "e810");
    demand.ports = 2;
    return demand;
  }());
  CHECK(sizing.limited_by == "NIC bit rate");
  CHECK(sizing.received_mpps == Approx(100e9 / 8 / 1538 / 1e6));
}

TEST_CASE("two cards take twice as much, if each has as many ports") {
  auto demand = a_demand("80G", "64", "xl710");
  demand.ports = 2;
  CHECK(must_size(demand).received_mpps == 37);
  demand.cards = 2;
  CHECK(must_size(demand).received_mpps == 74);
  demand.ports = 3;
  for (const unsigned cards : {0u, 2u, 4u}) {
    demand.cards = cards;
    CHECK_FALSE(size_capture(demand, fast_rates()));
  }
}

TEST_CASE("a slot of PCIe 3.0 x8 carries 50 Gbit/s of full frames, as others measured it") {
  auto demand = a_demand("100G", "1518", "");
  demand.pcie = *parse_pcie("3x8");
  const auto sizing = must_size(demand);
  CHECK(sizing.limited_by == "PCIe 3.0 x8");
  CHECK(sizing.received_mpps * 1514 * 8 / 1e3 == Approx(50).epsilon(0.02));
}

TEST_CASE("a slot that is given counts instead of the family's own") {
  auto demand = a_demand("100G", "1518", "connectx-5");
  CHECK(must_size(demand).limited_by.empty());
  demand.pcie = *parse_pcie("3x8");
  CHECK(must_size(demand).limited_by == "PCIe 3.0 x8");
}

TEST_CASE("a slot that there is not is refused") {
  for (const auto* text : {"", "3", "x8", "3x", "0x8", "6x8", "3x0", "3x3", "3x32", "3x8x", "3.0x8"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_pcie(text));
  }
  CHECK(parse_pcie("5x16")->lanes == 16);
}

TEST_CASE("memory is a limit where its speed is known: five bytes for each that is kept") {
  auto demand = a_demand("10G", "1518", "");
  CHECK(must_size(demand).memory_bytes_per_s == Approx(10e9 / 8 / 1538 * (1514 + 4 * 1530)));
  demand.memory_bytes_per_s = 1'000'000'000;
  const auto sizing = must_size(demand);
  CHECK(sizing.limited_by == "memory");
  CHECK(sizing.memory_bytes_per_s == Approx(1e9));
  demand.memory_bytes_per_s = 0;
  CHECK_FALSE(size_capture(demand, fast_rates()));
}

TEST_CASE("each limit says where its number is from, and one that nobody knows is null") {
  const auto json = as_json(a_demand("40G", "64", "xl710"));
  CHECK(json.at("nic").at("name") == "xl710");
  const auto& limits = json.at("machine_limits");
  REQUIRE(limits.size() == 4);
  CHECK(limits[0].at("origin") == "published");
  CHECK(limits[0].at("date") == "2021-07-01");
  CHECK(limits[1].at("mpps").is_null());
  CHECK(limits[1].at("origin").is_null());
  CHECK(limits[2].at("origin") == "computed");
  CHECK(limits[3].at("mpps").is_null());
  CHECK(json.at("queue_limits")[0].at("mpps").is_null());
  CHECK(json.at("queue_limits")[1].at("origin") == "measured");
  for (const auto* name : {"machine_limits", "queue_limits"})
    for (const auto& limit : json.at(name)) CHECK_FALSE(limit.at("source").get<std::string>().empty());
}

TEST_CASE("without a NIC nothing is said to be known of it") {
  const auto json = as_json(a_demand("40G", "64", ""));
  CHECK(json.at("nic").is_null());
  CHECK(json.at("limited_by").is_null());
  for (const auto& limit : json.at("machine_limits")) CHECK(limit.at("mpps").is_null());
}

namespace {

std::string cell(const Published& published) { return published.number ? fmt::format("{:g}", *published.number) : "-"; }

std::string cell(const PcieSlot& slot) {
  return slot.known() ? fmt::format("{}x{}", slot.generation, slot.lanes) : "-";
}

}  // namespace

TEST_CASE("NICS.md has the numbers that the plan counts with") {
  std::ifstream file(WIRESPOOL_SOURCE_ROOT "/NICS.md");
  std::stringstream text;
  text << file.rdbuf();
  std::string rows;
  for (const auto& family : nic_families())
    rows += fmt::format("| `{}` | {} | {} | {} | {} |\n", family.name, cell(family.queue_mpps),
                        cell(family.device_mpps), cell(family.device_gbit), cell(family.pcie));
  CHECK_THAT(text.str(), Catch::EndsWith("|---|---|---|---|---|\n" + rows));
}

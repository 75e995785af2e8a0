// SPDX-License-Identifier: BSD-3-Clause
#include "format/capture_file.hpp"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/ledger_samples.hpp"

using namespace wirespool;
using namespace wirespool::format;
using Json = nlohmann::json;

namespace {

CaptureFile example() {
  return {
      .wirespool = "0.2.0",
      .dpdk = "DPDK 22.11.7",
      .start = Timestamp{1'795'247'670'123'456'789},
      .name = "office \"2\"",
      .plan =
          R"({"block_bytes":1048576,"drives":[{"path":"/a"},{"path":"/b"}],"index":"flow","on_seal":null,"snaplen":96})",
      .ledger = test::ledger_line(Timestamp{1'795'247'671'123'456'789}, 10, 600),
      .others = {{"x_later", "[1,{\"y\":null}]"}}};
}

}  // namespace

TEST_CASE("a capture.json reads back as what it was written of, with a last ledger line and without one") {
  auto file = example();
  for (int round = 0; round < 2; ++round) {
    const auto back = decode_capture_file(encode_capture_file(file));
    REQUIRE(back);
    CHECK(*back == file);
    file.ledger.reset();
  }
}

TEST_CASE("a capture.json without one of its fields is refused by the name of that field") {
  const auto whole = Json::parse(encode_capture_file(example()));
  for (const std::string name : {"wirespool", "dpdk", "start", "name", "plan", "ledger"}) {
    auto less = whole;
    less.erase(name);
    const auto decoded = decode_capture_file(less.dump());
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error() == name + " is missing");
  }
  auto wrong = whole;
  wrong["ledger"]["totals"].erase("stored");
  CHECK(decode_capture_file(wrong.dump()).error() == "ledger.totals.stored is missing");
}

TEST_CASE("a plan tells its readers what they have to know, and names what it lacks") {
  const auto plan = Json::parse(example().plan);
  CHECK(decode_plan_facts(plan.dump()) ==
        PlanFacts{.drives = 2, .block_bytes = 1048576, .snaplen = 96, .flow_index = true, .on_seal = false});
  for (const std::string name : {"block_bytes", "drives", "index", "on_seal", "snaplen"}) {
    auto less = plan;
    less.erase(name);
    CHECK(decode_plan_facts(less.dump()).error() == "plan: " + name + " is missing");
  }
}

TEST_CASE("a capture.json that 0.1.0 wrote is read whole") {
  std::ifstream sample(WIRESPOOL_SAMPLES "/0.1.0.capture.json");
  const std::string text((std::istreambuf_iterator<char>(sample)), {});
  const auto file = decode_capture_file(text);
  REQUIRE(file);
  CHECK(file->wirespool == "0.1.0");
  CHECK(file->start == Timestamp{1'795'247'670'123'456'789});
  REQUIRE(file->ledger);
  CHECK(file->ledger->totals.stored == 985);
  CHECK(decode_plan_facts(file->plan) == PlanFacts{.drives = 2, .block_bytes = 1 << 20, .snaplen = 262144});
}

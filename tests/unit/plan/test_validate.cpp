// SPDX-License-Identifier: BSD-3-Clause
#include <functional>

#include "support/catch.hpp"
#include "unit/plan/machines.hpp"

using namespace wirespool::plan;
using namespace wirespool::test;

namespace {

CaptureConfig good_config() {
  CaptureConfig config;
  config.outputs = {"/data/a", "/data/b"};
  return config;
}

struct Wrong {
  std::string option;
  std::string why;  // part of it
  std::function<void(CaptureConfig&)> change;
};

const std::vector<Wrong>& wrong_configs() {
  static const std::vector<Wrong> table = {
      {"--output", "needs a directory", [](auto& c) { c.outputs.clear(); }},
      {"--output", "/data/a is given twice",
       [](auto& c) {
         c.outputs = {"/data/a", "/data/b", "/data/a/"};
       }},
      {"--output", "an empty name", [](auto& c) { c.outputs = {""}; }},
      {"--port", "0 is given twice",
       [](auto& c) {
         c.ports = {"0", "1", "0"};
       }},
      {"--port", "an empty name",
       [](auto& c) {
         c.ports = {"0", ""};
       }},
      {"--rx-queues", "0 is out of range", [](auto& c) { c.rx_queues = 0; }},
      {"--rx-queues", "1025", [](auto& c) { c.rx_queues = 1025; }},
      {"--rx-desc", "0 is out of range", [](auto& c) { c.rx_desc = 0; }},
      {"--rx-desc", "65536", [](auto& c) { c.rx_desc = 65536; }},
      {"--burst", "7 is out of range", [](auto& c) { c.burst = 7; }},
      {"--burst", "1025", [](auto& c) { c.burst = 1025; }},
      {"--mbufs", "63 is out of range", [](auto& c) { c.mbufs = 63; }},
      {"--mbufs", "4294967295", [](auto& c) { c.mbufs = 4294967295; }},
      {"--mtu", "67 is out of range", [](auto& c) { c.mtu = 67; }},
      {"--mtu", "65536", [](auto& c) { c.mtu = 65536; }},
      {"--snaplen", "0 is out of range", [](auto& c) { c.snaplen = 0; }},
      {"--snaplen", "262145", [](auto& c) { c.snaplen = 262145; }},
      {"--handoff-size", "1000 is not a power of two", [](auto& c) { c.handoff_size = 1000; }},
      {"--handoff-size", "two bursts of 64", [](auto& c) { c.handoff_size = 64; }},
      {"--handoff-size", "out of range", [](auto& c) { c.handoff_size = 1u << 19; }},
      {"--rx-lcores", "lcore 3 is listed twice",
       [](auto& c) {
         c.rx_lcores = {3, 1, 3};
       }},
      {"--writer-lcores", "lcore 3 is listed twice",
       [](auto& c) {
         c.writer_lcores = {3, 3};
       }},
      {"--writer-lcores", "lcore 2,3 cannot receive and write",
       [](auto& c) {
         c.rx_lcores = {1, 2, 3};
         c.writer_lcores = {2, 3};
       }},
      {"--writer-lcores", "--until rx has no writers",
       [](auto& c) {
         c.until = Until::rx;
         c.writer_lcores = {2};
       }},
      {"--name", "\"a/b\" cannot start", [](auto& c) { c.name = "a/b"; }},
      {"--name", "\"\" cannot start", [](auto& c) { c.name = ""; }},
      {"--block-size", "0 is not a multiple", [](auto& c) { c.block_size = 0; }},
      {"--block-size", "2048 is not", [](auto& c) { c.block_size = 2048; }},
      {"--block-size", "4100 is not", [](auto& c) { c.block_size = 4100; }},
      {"--block-size", "is not", [](auto& c) { c.block_size = 2ull << 30; }},
      {"--rotate-size", "1KiB is less than one Block of 1MiB", [](auto& c) { c.rotate_size = 1024; }},
      {"--rotate-size", "more than a file can hold", [](auto& c) { c.rotate_size = 17ull << 40; }},
      {"--rotate-age", "0s is too short", [](auto& c) { c.rotate_age_ns = 0; }},
      {"--blocks", "0 is out of range", [](auto& c) { c.blocks = 0; }},
      {"--io-depth", "0 is out of range", [](auto& c) { c.io_depth = 0; }},
      {"--io-depth", "1025", [](auto& c) { c.io_depth = 1025; }},
      {"--flush-age", "0s is too short", [](auto& c) { c.flush_age_ns = 0; }},
      {"--sync-age", "1ms is too short", [](auto& c) { c.sync_age_ns = 1'000'000; }},
      {"--stats-interval", "9ms is too short", [](auto& c) { c.stats_interval_ns = 9'000'000; }},
      {"--on-seal-timeout", "0s is too short", [](auto& c) { c.on_seal_timeout_ns = 0; }},
      {"--on-seal", "--until block makes no files",
       [](auto& c) {
         c.until = Until::block;
         c.on_seal = "true";
       }},
      {"--serve", "--until block makes no files",
       [](auto& c) {
         c.until = Until::block;
         c.serve = "127.0.0.1:8080";
       }},
      {"--duration", "0 would end", [](auto& c) { c.duration_ns = 0; }},
      {"--packets", "0 would end", [](auto& c) { c.packets = 0; }},
      {"--bytes", "0 would end", [](auto& c) { c.bytes = 0; }},
      {"--idle-exit", "0 would end", [](auto& c) { c.idle_exit_ns = 0; }},
  };
  return table;
}

}  // namespace

TEST_CASE("the defaults with a directory are in order") { CHECK(problems_of(validate(good_config())).empty()); }

TEST_CASE("each wrong option is named, alone, with what to do") {
  for (const auto& wrong : wrong_configs()) {
    auto config = good_config();
    wrong.change(config);
    CAPTURE(wrong.option, wrong.why);
    const auto problems = validate(config);
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].what == wrong.option);
    CHECK_THAT(problems[0].why, Catch::Contains(wrong.why));
    CHECK_FALSE(problems[0].what_to_do.empty());
    CHECK(problems[0].kind == wirespool::Error::Kind::wrong_use);
  }
}

TEST_CASE("all problems come at once") {
  auto config = good_config();
  config.snaplen = 0;
  config.burst = 0;
  config.block_size = 1000;
  config.name = "-";
  CHECK(validate(config).size() == 4);
}

TEST_CASE("a measurement needs no output") {
  CaptureConfig config;
  config.until = GENERATE(Until::rx, Until::handoff, Until::block);
  CHECK(validate(config).empty());
}

TEST_CASE("an option about flows without flows is named") {
  const auto wrong = [](auto change) {
    auto config = good_config();
    change(config);
    return problems_of(validate(config));
  };
  CHECK_THAT(wrong([](auto& config) { config.cutoff_then = CutoffThen::nothing; }), Catch::Contains("--cutoff-then"));
  CHECK_THAT(wrong([](auto& config) { config.flow_format = FlowFormat::json; }), Catch::Contains("--flow-format"));
  CHECK_THAT(wrong([](auto& config) { config.flow_idle_ns *= 2; }), Catch::Contains("--flow-idle"));
  CHECK(wrong([](auto& config) { config.cutoff = 1, config.flow_idle_ns *= 2; }).empty());
  CHECK_THAT(wrong([](auto& config) { config.cutoff = 1, config.flow_active_ns *= 2; }),
             Catch::Contains("--flow-active"));
}

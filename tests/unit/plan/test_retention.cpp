// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "unit/plan/machines.hpp"

using namespace wirespool::plan;
using namespace wirespool::test;
using wirespool::policy::Share;

namespace {

constexpr std::uint64_t gib = 1ull << 30;
constexpr std::uint64_t hour_ns = 3'600'000'000'000;

}  // namespace

TEST_CASE("limits are those that were asked for") {
  auto machine = a_machine(3, 1, 1);
  auto config = a_config(machine);
  CHECK_FALSE(limits_of(must_plan(config, machine).config).any());
  config.retain_free = Share{10, 0};
  config.retain_size = 100 * gib;
  config.retain_age_ns = hour_ns;
  const auto limits = limits_of(must_plan(config, machine).config);
  CHECK(limits.free == Share{10, 0});
  CHECK(limits.size_bytes == 100 * gib);
  CHECK(limits.age_ns == hour_ns);
}

TEST_CASE("limits that keep nothing are refused") {
  auto machine = a_machine(3, 1, 1);
  auto config = a_config(machine);
  config.retain_free = Share{};
  config.retain_size = 0;
  const auto problems = problems_of(validate(config));
  CHECK_THAT(problems, Catch::Contains("--retain-free: 0 keeps nothing free"));
  CHECK_THAT(problems, Catch::Contains("--retain-size: 0 would remove every file at once"));
}

TEST_CASE("a size of less than two files of each Stream, and an age of less than a file's, are refused") {
  auto machine = a_machine(7, 1, 1);
  auto config = a_config(machine);
  config.rotate_size = gib;
  config.retain_size = 2 * gib - 1;
  config.retain_age_ns = config.rotate_age_ns - 1;
  const auto problems = problems_of(validate(config));
  CHECK_THAT(problems, Catch::Contains("--retain-size: 2.0GiB is less than two files of 1GiB"));
  CHECK_THAT(problems, Catch::Contains("--retain-age: "));
  config.retain_age_ns.reset();
  config.rx_queues = 4;
  config.retain_size = 2 * gib;
  CHECK_THAT(problems_of(config, machine), Catch::Contains("for each of the Streams to /data/nvme0"));
  config.retain_size = 8 * gib;
  CHECK(problems_of(config, machine).empty());
}

TEST_CASE("to keep more free than leaves room for two files of each Stream is refused") {
  auto machine = a_machine(3, 1, 1);
  machine.drives[0].total_bytes = 10 * gib;
  auto config = a_config(machine);
  config.rotate_size = gib;
  config.retain_free = Share{0, 8 * gib};
  CHECK(problems_of(config, machine).empty());
  config.retain_free = Share{0, 8 * gib + 1};
  CHECK_THAT(problems_of(config, machine), Catch::Contains("--retain-free: /data/nvme0: "));
  config.retain_free = Share{99, 0};
  CHECK_FALSE(problems_of(config, machine).empty());
}

TEST_CASE("retention without files, or without an index that knows their age, is refused") {
  auto machine = a_machine(3, 1, 1);
  auto config = a_config(machine);
  config.retain_age_ns = hour_ns;
  config.index = IndexLevel::off;
  CHECK_THAT(problems_of(validate(config)), Catch::Contains("--retain-age: --index off"));
  config.index = IndexLevel::time;
  config.until = Until::block;
  CHECK_THAT(problems_of(validate(config)), Catch::Contains("--retain-age: --until block makes no files"));
}

TEST_CASE("an archive that can take no files, or is a drive, or is named twice, is refused") {
  auto machine = a_machine(3, 1, 1);
  auto config = a_config(machine);
  config.archives = {"/slow"};
  CHECK(problems_of(validate(config)).empty());
  config.index = IndexLevel::off;
  CHECK_THAT(problems_of(validate(config)), Catch::Contains("--archive: --index off"));
  config.index = IndexLevel::time;
  config.archives = {"/slow/", "/slow"};
  CHECK_THAT(problems_of(validate(config)), Catch::Contains("--archive: ") && Catch::Contains("twice"));
  config.archives = {config.outputs[0] + "/"};
  CHECK_THAT(problems_of(validate(config)), Catch::Contains("is an --output as well"));
  config.archives = {""};
  CHECK_THAT(problems_of(validate(config)), Catch::Contains("--archive: an empty name is no directory"));
  config.archives = {"/slow"};
  config.until = Until::block;
  CHECK_THAT(problems_of(validate(config)), Catch::Contains("--archive: --until block makes no files"));
}

TEST_CASE("the plan as text and as JSON has the limits as they are given on the command line") {
  auto machine = a_machine(3, 1, 1);
  auto config = a_config(machine);
  config.retain_free = Share{10, 0};
  config.retain_size = 100 * gib;
  const auto plan = must_plan(config, machine);
  CHECK_THAT(describe(plan), Catch::Contains("*--retain-free 10% *--retain-size 100GiB"));
  CHECK_THAT(to_json(plan), Catch::Contains("\"retain_free\":\"10%\",\"retain_size\":107374182400"));
  CHECK_THAT(to_json(plan), Catch::Contains("\"retain_age_ns\":null"));
}

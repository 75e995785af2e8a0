// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "unit/plan/machines.hpp"

using namespace wirespool::plan;
using namespace wirespool::test;

TEST_CASE("a drive is planned as it was found") {
  auto machine = a_machine(3, 1, 1);
  machine.drives[0].block_bytes = 4096;
  const auto plan = must_plan(a_config(machine), machine);
  REQUIRE(plan.drives.size() == 1);
  CHECK(plan.drives[0].path == "/data/nvme0");
  CHECK(plan.drives[0].device_name == "nvme0n1");
  CHECK(plan.drives[0].block_bytes == 4096);
  CHECK(plan.drives[0].direct_io);
}

TEST_CASE("a file system without O_DIRECT is named") {
  auto machine = a_machine(3, 1, 2);
  machine.drives[1].direct_io = false;
  machine.drives[1].file_system = "tmpfs";
  auto config = a_config(machine);
  const auto plan = make_plan(config, machine);
  REQUIRE_FALSE(plan);
  CHECK(plan.error()[0].what == "--output");
  CHECK(plan.error()[0].why == "/data/nvme1: tmpfs takes no O_DIRECT");
  CHECK_THAT(plan.error()[0].what_to_do, Catch::Contains("--io pwrite"));
  CHECK(plan.error()[0].kind == wirespool::Error::Kind::not_ready);
}

TEST_CASE("--io pwrite writes buffered where O_DIRECT is refused, with a notice") {
  auto machine = a_machine(3, 1, 1);
  machine.drives[0].direct_io = false;
  auto config = a_config(machine);
  config.io = Io::pwrite;
  const auto plan = must_plan(config, machine);
  CHECK_FALSE(plan.drives[0].direct_io);
  CHECK_THAT(notices_of(plan), Catch::Contains("page cache"));
}

TEST_CASE("a Block that is no multiple of the drive's block is refused, naming the drive") {
  auto machine = a_machine(3, 1, 2);
  machine.drives[1].block_bytes = 4096;
  auto config = a_config(machine);
  config.block_size = 4096 + 512;
  CHECK(problems_of(config, machine) ==
        "--block-size: 4608 is not a multiple of the 4096 bytes that /data/nvme1 writes at once\n");
}

TEST_CASE("one directory by two names is refused") {
  auto machine = a_machine(3, 1, 2);
  machine.drives[1].real_path = machine.drives[0].real_path;
  const auto plan = make_plan(a_config(machine), machine);
  REQUIRE_FALSE(plan);
  CHECK(plan.error()[0].why == "/data/nvme0 and /data/nvme1 are the same directory");
  CHECK(plan.error()[0].kind == wirespool::Error::Kind::wrong_use);
}

TEST_CASE("two directories of one file system work, with a notice") {
  auto machine = a_machine(3, 1, 2);
  machine.drives[1].device = machine.drives[0].device;
  CHECK_THAT(notices_of(must_plan(a_config(machine), machine)), Catch::Contains("are on one file system"));
}

TEST_CASE("a drive with room for less than one file is noticed") {
  auto machine = a_machine(3, 1, 1);
  machine.drives[0].free_bytes = 1 << 30;
  CHECK_THAT(notices_of(must_plan(a_config(machine), machine)),
             Catch::Contains("1GiB free, less than one file of 4GiB"));
}

TEST_CASE("all that is wrong with machine and configuration comes at once") {
  auto machine = a_machine(2, 1, 2);
  machine.drives[0].direct_io = false;
  machine.drives[1].block_bytes = 4096;
  auto config = a_config(machine);
  config.block_size = 4608;
  config.ports = {"9", "0"};
  config.timestamp = TimestampSource::hw;
  const auto plan = make_plan(config, machine);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().size() == 5);
}

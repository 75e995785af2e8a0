// SPDX-License-Identifier: BSD-3-Clause
#include "machine/capture_places.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "unit/machine/fake_machine.hpp"

using namespace wirespool;
using test::FakeMachine;
using Directories = std::vector<std::string>;

namespace {

// A process as proc_pid_cmdline(5) shows it: each argument ends with a null byte.
void process(const FakeMachine& machine, const std::string& pid, const std::vector<std::string>& arguments) {
  std::string text;
  for (const auto& argument : arguments) text += argument + '\0';
  machine.file("proc/" + pid + "/cmdline", text);
}

}  // namespace

TEST_CASE("services are found by the directories of their environment, and others of that name are none") {
  FakeMachine machine;
  machine.file("etc/wirespool/b.env",
               "# WIRESPOOL_DIRECTORIES=/not\nWIRESPOOL_DIRECTORIES=\"/data/nvme0 /data/nvme1\"\n");
  machine.file("etc/wirespool/a.env", "WIRESPOOL_DIRECTORIES=/data/a\n");
  machine.file("etc/wirespool/empty.env", "WIRESPOOL_DIRECTORIES=\n");
  machine.file("etc/wirespool/other.toml", "WIRESPOOL_DIRECTORIES=/data/toml\n");
  const auto found = machine::look_for_captures(machine.tree());
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "a");
  CHECK(found[0].directories == Directories{"/data/a"});
  CHECK(found[1].directories == Directories{"/data/nvme0", "/data/nvme1"});
  CHECK_FALSE(found[1].running);
}

TEST_CASE("running captures are found by --output, wherever they were started, and other processes are none") {
  FakeMachine machine;
  process(machine, "10",
          {"/usr/bin/wirespool", "capture", "-l", "0-2", "--", "--output", "/data/x", "--output=/data/y"});
  process(machine, "11", {"wirespool", "capture", "--output", "here/../there"});
  machine.link("proc/11/cwd", "/somewhere");
  process(machine, "12", {"wirespool", "capture", "--output", "whoknows"});
  process(machine, "13", {"wirespool", "extract", "--output", "/data/z"});
  process(machine, "14", {"vi", "capture", "--output", "/data/z"});
  process(machine, "15", {"wirespool", "capture", "--output"});
  process(machine, "16", {});
  const auto found = machine::look_for_captures(machine.tree());
  REQUIRE(found.size() == 2);
  CHECK(found[0].name == "10");
  CHECK(found[0].running);
  CHECK(found[0].directories == Directories{"/data/x", "/data/y"});
  CHECK(found[1].directories == Directories{"/somewhere/there"});
}

TEST_CASE("a running capture of a service's directories is the service, and is said to run") {
  FakeMachine machine;
  machine.file("etc/wirespool/a.env", "WIRESPOOL_DIRECTORIES=/data/a\n");
  process(machine, "10", {"wirespool", "capture", "--output", "/data/a"});
  const auto found = machine::look_for_captures(machine.tree());
  REQUIRE(found.size() == 1);
  CHECK(found[0].name == "a");
  CHECK(found[0].running);
}

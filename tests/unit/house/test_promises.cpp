// SPDX-License-Identifier: BSD-3-Clause
#include <fstream>
#include <sstream>

#include "support/catch.hpp"
#include "unit/house/promises.hpp"

namespace fs = std::filesystem;
using namespace wirespool::test;

namespace {

std::string read_of_tree(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(fs::path(WIRESPOOL_SOURCE_ROOT) / path, std::ios::binary).rdbuf();
  return text.str();
}

// A tree of three files.
std::string read_of_three(const fs::path& path) {
  if (path == "README.md") return "# x\n\n## Files\n";
  if (path == "tests/a.cpp") return "TEST_CASE_METHOD(Rig,\n    \"a long\"\n    \" \\\"name\\\"\", \"[tag]\") {\n";
  if (path == "tests/b.sh") return "  expect \"$1: it ends\" test \"$status\" -eq 0\n";
  return "";
}

Findings check_row(const std::string& row) {
  return check_promises("| promise | section | tests |\n|---|---|---|\n" + row + "\n", read_of_three);
}

}  // namespace

TEST_CASE("every test that tests/PROMISES.md names is there under that name, and every section of README") {
  const auto page = read_of_tree("tests/PROMISES.md");
  const auto findings = check_promises(page, read_of_tree);
  for (const auto& finding : findings) UNSCOPED_INFO(finding);
  CHECK(findings.empty());
  CHECK(count_promises(page) >= 60);
}

TEST_CASE("names of tests are read from C++ with their literals joined, and from what scripts expect") {
  CHECK(names_of_tests("tests/a.cpp", read_of_three("tests/a.cpp")) == Findings{"a long \"name\""});
  CHECK(names_of_tests("tests/b.sh", read_of_three("tests/b.sh")) == Findings{"$1: it ends"});
  CHECK(names_of_tests("tests/c.py",
                       "class C:\n    def test_it(self):\n    def other(self):\n    def test_all(self):\n") ==
        Findings{"test_it", "test_all"});
}

TEST_CASE("a promise whose test has another name, or is in another file, is named by its line") {
  CHECK(check_row("| p | Files | `tests/b.sh` \"$1: it ends\" |").empty());
  CHECK(check_row("| p | Files | `tests/b.sh` \"$1: it ended\" |") ==
        Findings{"tests/PROMISES.md:3: tests/b.sh has no test \"$1: it ended\""});
  CHECK(check_row("| p | Files | `tests/a.cpp` \"$1: it ends\" |").size() == 1);
  CHECK(check_row("| p | Files | `tests/none.cpp` \"$1: it ends\" |").size() == 1);
  CHECK(check_row("| p | Files | `tests/b.sh` \"$1: it ends\", \"and more\" |").size() == 1);
}

TEST_CASE("a promise without a test, of no section of README, or in a row that is none, is named") {
  CHECK(check_row("| p | Files | somewhere |").size() == 1);
  CHECK(check_row("| p | Files | \"$1: it ends\" |").size() == 2);
  CHECK(check_row("| p | Colours | `tests/b.sh` \"$1: it ends\" |") ==
        Findings{"tests/PROMISES.md:3: README.md has no section 'Colours'"});
  CHECK(check_row("| p | Files |").size() == 1);
  CHECK(check_row("|  | Files | `tests/b.sh` \"$1: it ends\" |").size() == 1);
}

TEST_CASE("what no test holds has its section and a reason, and is not counted") {
  const std::string page =
      "## Held by no test\n\n| promise | section | why |\n|---|---|---|\n| p | Files | it takes a NIC |\n";
  CHECK(check_promises(page, read_of_three).empty());
  CHECK(count_promises(page) == 0);
  CHECK(check_promises(page + "| q | Files | |\n", read_of_three).size() == 1);
}

// SPDX-License-Identifier: BSD-3-Clause
#include "cli/errors.hpp"
#include "support/catch.hpp"

using namespace wirespool::cli;

TEST_CASE("an error is what, why and what to do, on one line") {
  CHECK(error_line("--x", "is wrong", "do y") == "wirespool: --x: is wrong: do y\n");
  CHECK(error_line("--x", "is wrong", "") == "wirespool: --x: is wrong\n");
  CHECK(error_line("--x", "", "do y") == "wirespool: --x: do y\n");
}

TEST_CASE("control characters cannot break the line or the terminal") {
  CHECK(error_line("a\nb", "\x1b[2J", "\t\x7f") == "wirespool: a\\x0ab: \\x1b[2J: \\x09\\x7f\n");
}

TEST_CASE("a misspelling is matched, another word is not") {
  const std::vector<std::string> names = {"--snaplen", "--burst", "--rx-queues"};
  CHECK(closest("--snaplenn", names) == "--snaplen");
  CHECK(closest("--bust", names) == "--burst");
  CHECK(closest("--rx-queue", names) == "--rx-queues");
  CHECK(closest("--filter", names).empty());
  CHECK(closest("-l", {"-h"}).empty());
  CHECK(closest("", names).empty());
}

TEST_CASE("wrong use counts before a machine that is not ready") {
  CHECK(print_errors({}) == Exit::done);
  CHECK(print_errors({{"test", "not ready", "", wirespool::Error::Kind::not_ready}}) == Exit::machine_not_ready);
  CHECK(print_errors({{"test", "not ready", "", wirespool::Error::Kind::not_ready}, {"test", "wrong", ""}}) ==
        Exit::wrong_use);
}

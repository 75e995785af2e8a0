// SPDX-License-Identifier: BSD-3-Clause
#include "serve/query_watch.hpp"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <optional>

#include "support/catch.hpp"
#include "support/wait_until.hpp"

using namespace wirespool;
using namespace wirespool::serve;
using namespace std::chrono_literals;

namespace {

// Both ends of a client's connection.
struct Pair {
  storage::FileDescriptor here, there;
  Pair() {
    std::array<int, 2> ends{-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    here.reset(ends[0]);
    there.reset(ends[1]);
  }
};

struct Rig {
  storage::FileDescriptor end{::eventfd(0, EFD_CLOEXEC)};
  QueryWatch watch{end.get()};
  Rig() { REQUIRE(watch.start("test")); }
};

bool told(const QueryWatch::Handle& query) {
  return test::wait_until([&] { return query->stop.load(); });
}

}  // namespace

TEST_CASE("a query is told to stop when its client has gone, and others are not") {
  Rig rig;
  Pair gone, stays;
  const auto first = rig.watch.follow(gone.here.get(), Clock::now() + 1h);
  const auto second = rig.watch.follow(stays.here.get(), Clock::now() + 1h);
  gone.there.reset();
  REQUIRE(told(first));
  CHECK(first->why == QueryWatch::Why::client_gone);
  CHECK(rig.watch.judge(*first) == QueryWatch::Why::client_gone);
  CHECK_FALSE(second->stop);
  CHECK(rig.watch.judge(*second) == QueryWatch::Why::none);
}

TEST_CASE("a query is told to stop when its time is over") {
  Rig rig;
  Pair pair;
  const auto query = rig.watch.follow(pair.here.get(), Clock::now() + 10ms);
  REQUIRE(told(query));
  CHECK(query->why == QueryWatch::Why::time_over);
}

TEST_CASE("all queries are told to stop when the service ends, and those that come after") {
  Rig rig;
  Pair a, b, late;
  const auto first = rig.watch.follow(a.here.get(), Clock::now() + 1h);
  const auto second = rig.watch.follow(b.here.get(), Clock::now() + 1h);
  REQUIRE(::eventfd_write(rig.end.get(), 1) == 0);
  REQUIRE(told(first));
  REQUIRE(told(second));
  CHECK(first->why == QueryWatch::Why::service_ends);
  const auto third = rig.watch.follow(late.here.get(), Clock::now() + 1h);
  CHECK(told(third));
}

TEST_CASE("of a query that was left nothing is looked at any more") {
  Rig rig;
  std::optional<Pair> left(std::in_place);
  Pair witness;
  const auto query = rig.watch.follow(left->here.get(), Clock::now() + 1h);
  rig.watch.leave(query);
  left.reset();
  const auto other = rig.watch.follow(witness.here.get(), Clock::now() + 1h);
  witness.there.reset();
  REQUIRE(told(other));  // so it has looked at all there are
  CHECK_FALSE(query->stop);
}

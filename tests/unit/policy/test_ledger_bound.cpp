// SPDX-License-Identifier: BSD-3-Clause
#include "policy/ledger_bound.hpp"
#include "support/catch.hpp"

using wirespool::Timestamp;
using wirespool::policy::LedgerBound;

namespace {

constexpr std::uint64_t line = 1024, mib = 1 << 20;

// Lines of a KiB, the nth of time n.
void append(LedgerBound& bound, std::uint64_t from, std::uint64_t to) {
  for (auto n = from; n < to; ++n) bound.appended(line, {n});
}

}  // namespace

TEST_CASE("a ledger keeps all its lines while it is short, or tells of packets that are there") {
  LedgerBound bound(64 * mib);
  CHECK_FALSE(bound.cut({UINT64_MAX}));
  append(bound, 1, 1000);
  CHECK_FALSE(bound.cut({UINT64_MAX}));  // not worth it
  append(bound, 1000, 10'000);
  CHECK_FALSE(bound.cut({}));  // not known
  CHECK_FALSE(bound.cut({1}));
  CHECK_FALSE(bound.cut({4000}));  // less than half of it
}

TEST_CASE("a ledger that was left and is opened again loses none of what was there until it is too long") {
  constexpr std::uint64_t most = 4 * mib, before = 3 * mib;
  LedgerBound bound(most);
  append(bound, 1, 1000);
  bound.goes_on_at(before);  // lines have been lost, or others written
  std::uint64_t n = 1000;
  for (; bound.size() <= most - line; ++n) {
    bound.appended(line, {n});
    REQUIRE_FALSE(bound.cut({}));
  }
  bound.appended(line, {n});
  const auto cut = bound.cut({});
  REQUIRE(cut);
  CHECK(cut->time.ns >= 1000);
  CHECK(cut->begin == before + (cut->time.ns - 1000) * line);
}

TEST_CASE("lines of before the oldest packet go, and the last one before it stays") {
  LedgerBound bound(64 * mib);
  append(bound, 1, 10'001);
  const auto cut = bound.cut({8000});
  REQUIRE(cut);
  CHECK(cut->time.ns <= 8000);
  CHECK(cut->time.ns > 8000 - LedgerBound::between_marks / line);
  CHECK(cut->lines == cut->time.ns - 1);
  CHECK(cut->begin == cut->lines * line);
  CHECK(cut->end == cut->begin + line);
}

TEST_CASE("a ledger never gets longer than it may, and its lines are found where they are after every cut") {
  constexpr std::uint64_t most = 4 * mib, head = 1100;
  LedgerBound bound(most);
  std::uint64_t begin = 1;  // the first line that is there
  std::uint64_t head_bytes = line;
  int cuts = 0;
  for (std::uint64_t n = 1; n < 100'000; ++n) {
    bound.appended(line, {n});
    REQUIRE(bound.size() == head_bytes + (n - begin) * line);
    const auto cut = bound.cut({});
    if (!cut) continue;
    ++cuts;
    REQUIRE(cut->lines == cut->time.ns - 1);
    REQUIRE(cut->begin == head_bytes + (cut->time.ns - begin - 1) * line);
    bound.done(*cut, head);
    begin = cut->time.ns;
    head_bytes = head;
    REQUIRE(bound.size() <= most / 2 + head);
    REQUIRE_FALSE(bound.cut({}));
  }
  CHECK(cuts > 30);
}

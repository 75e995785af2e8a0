// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "view/history.hpp"

using namespace wirespool;
using view::History;

namespace {

constexpr std::uint64_t second = 1'000'000'000;

format::LedgerLine line_at(std::uint64_t elapsed_ns, std::uint64_t received) {
  format::LedgerLine line;
  line.elapsed_ns = elapsed_ns;
  line.totals.received = received;
  return line;
}

}  // namespace

TEST_CASE("the rates of a minute are those of each of its seconds") {
  History history;
  for (std::uint64_t i = 1; i <= 100; ++i) history.add(line_at(i * second, i * i));
  const auto rates = history.rates(&format::Totals::received);
  REQUIRE(rates.size() == History::seconds);
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const auto n = static_cast<double>(100 - rates.size() + 1 + i);
    CHECK(rates[i] == Approx(n * n - (n - 1) * (n - 1)));
  }
}

TEST_CASE("a young capture has as many rates as it has seconds, and one of less than a second none") {
  History history;
  CHECK(history.rates(&format::Totals::received).empty());
  history.add(line_at(second / 2, 10));
  CHECK(history.rates(&format::Totals::received).empty());
  history.add(line_at(second * 5 / 2, 50));
  CHECK(history.rates(&format::Totals::received) == std::vector<double>{20, 20});
}

TEST_CASE("between lines that are far apart a total has grown evenly") {
  History history;
  history.add(line_at(10 * second, 0));
  history.add(line_at(20 * second, 1000));
  const auto rates = history.rates(&format::Totals::received);
  REQUIRE(rates.size() == 10);
  for (const auto rate : rates) CHECK(rate == Approx(100));
}

TEST_CASE("a line from before the last one is another capture's, of which nothing else is known") {
  History history;
  history.add(line_at(50 * second, 1'000'000));
  history.add(line_at(2 * second, 10));
  CHECK(history.before().elapsed_ns == 0);
  CHECK(history.rates(&format::Totals::received) == std::vector<double>{5, 5});
}

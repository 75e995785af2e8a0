// SPDX-License-Identifier: BSD-3-Clause
#include "serve/stenographer.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/trace.hpp"
#include "wirespool/time_text.hpp"

using namespace wirespool;
using namespace wirespool::serve;

#ifdef WIRESPOOL_METRICS

namespace {

const Timestamp now{1'800'000'000'000'000'000};
constexpr std::uint64_t minute = 60'000'000'000;

StenographerQuery parsed(const std::string& text) {
  auto query = stenographer_query(text, now);
  INFO(text << (query ? "" : ": " + query.error().message()));
  REQUIRE(query);
  return std::move(*query);
}

bool wants(StenographerQuery& query, const PacketView& packet) {
  if (packet.time < query.from || packet.time >= query.to) return false;
  return !query.filter || query.filter->matches({packet, 1, 0, {}});
}

// The numbers of the packets that it wants.
std::vector<std::size_t> wanted(const std::string& text, const test::Trace& trace) {
  auto query = parsed(text);
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < trace.size(); ++i)
    if (wants(query, trace[i])) numbers.push_back(i);
  return numbers;
}

std::string why_not(const std::string& text) {
  const auto query = stenographer_query(text, now);
  INFO(text);
  REQUIRE_FALSE(query);
  CHECK(query.error().what == "query");
  CHECK_FALSE(query.error().what_to_do.empty());
  return query.error().why;
}

}  // namespace

TEST_CASE("each term becomes the one of pcap-filter that means it") {
  const std::vector<std::pair<std::string, std::string>> terms{
      {"host 8.8.8.8", "host 8.8.8.8"},
      {"host 2001:db8::1", "host 2001:db8::1"},
      {"net 1.0.0.0/8", "net 1.0.0.0/8"},
      {"net 1.2.3.4/8", "net 1.0.0.0/8"},
      {"net 1.2.3.4 / 0", "net 0.0.0.0/0"},
      {"net 1.2.3.4/32", "net 1.2.3.4/32"},
      {"net 1.2.3.4 mask 255.255.255.0", "net 1.2.3.0/24"},
      {"net 2001:db8:1:2:3::/48", "net 2001:db8:1:0:0:0:0:0/48"},
      {"net 2001:db8::1:0:ff mask ffff:ffff:ffff:ffff:ffff:ffff::", "net 2001:db8:0:0:0:1:0:0/96"},
      {"port 80", "port 80"},
      {"ip proto 6", "ip proto 6"},
      {"tcp", "tcp"},
      {"udp&&(port 53||port 5353)", "udp and (port 53 or port 5353)"},
      {"icmp or tcp and port 1", "icmp or tcp and port 1"},
      {" ( ( udp ) ) ", "((udp))"}};
  for (const auto& [text, expression] : terms) {
    const auto query = parsed(text);
    REQUIRE(query.filter);
    CHECK(query.filter->expression() == expression);
    CHECK(query.from == Timestamp{0});
    CHECK(query.to == StenographerQuery().to);
  }
}

TEST_CASE("times that all else is joined to by and are the query's own, so that indices leave out what is of others") {
  const auto query = parsed("after 3h ago and (tcp or udp) and before 45m ago and before 2h ago");
  CHECK(query.from.ns == now.ns - 180 * minute);
  CHECK(query.to.ns == now.ns - 120 * minute);
  REQUIRE(query.filter);
  CHECK(query.filter->expression() == "(tcp or udp)");
  const auto alone = parsed("after 2012-11-03T11:05:00-07:00");
  CHECK_FALSE(alone.filter);
  CHECK(rfc3339(alone.from) == "2012-11-03T18:05:00.000000000Z");
  CHECK(rfc3339(parsed("before 2012-11-03T11:05:00Z").to) == "2012-11-03T11:05:00.000000000Z");
  const auto none = parsed("before 3h ago and after 1h ago");
  CHECK(none.from >= none.to);
}

TEST_CASE("a query that no packet can match is one all the same") {
  const auto trace = test::make_trace({.packets = 300});
  CHECK(wanted("icmp and tcp", trace).empty());
  CHECK(wanted("icmp and tcp or udp", trace) == wanted("udp", trace));
}

TEST_CASE("a packet of just that time is after it and not before it") {
  auto after = parsed("after 1h ago"), before = parsed("before 1h ago");
  const PacketView packet{Timestamp{now.ns - 60 * minute}, 0, {}};
  CHECK(wants(after, packet));
  CHECK_FALSE(wants(before, packet));
}

// Against a reading of its own: terms by libpcap one at a time, times by comparing, joined from left to right.
TEST_CASE("whatever is joined to what, a query wants the packets that its terms want together") {
  const auto trace = test::make_trace({.packets = 300, .flows = 4});
  const auto middle = trace[150].time, early = trace[60].time;
  constexpr std::uint64_t seed = 20261127;
  INFO("seed " << seed);
  test::Random random(seed);
  const std::vector<std::string> terms{"tcp",
                                       "udp",
                                       "icmp",
                                       "ip proto 17",
                                       "after " + rfc3339(middle),
                                       "before " + rfc3339(middle),
                                       "before " + rfc3339(early)};
  std::vector<std::vector<bool>> truth;
  for (const auto& term : terms) {
    auto& row = truth.emplace_back(trace.size(), false);
    for (const auto i : wanted(term, trace)) row[i] = true;
  }
  for (int round = 0; round < 200; ++round) {
    std::string text;
    std::vector<bool> expected;
    for (int i = 0; i < 5; ++i) {
      // A term, or two of them in parentheses.
      const auto first = random.below(terms.size()), second = random.below(terms.size());
      const bool two = random.below(3) == 0, inner_and = random.below(2) == 0, is_and = random.below(2) == 0;
      std::vector<bool> one(trace.size());
      for (std::size_t p = 0; p < trace.size(); ++p)
        one[p] = !two        ? truth[first][p]
                 : inner_and ? truth[first][p] && truth[second][p]
                             : truth[first][p] || truth[second][p];
      const auto word = two ? "(" + terms[first] + (inner_and ? " && " : " or ") + terms[second] + ")" : terms[first];
      text += i == 0 ? word : (is_and ? " and " : " || ") + word;
      if (i == 0) expected = one;
      for (std::size_t p = 0; p < trace.size() && i > 0; ++p)
        expected[p] = is_and ? expected[p] && one[p] : expected[p] || one[p];
    }
    std::vector<std::size_t> numbers;
    for (std::size_t p = 0; p < trace.size(); ++p)
      if (expected[p]) numbers.push_back(p);
    INFO(text);
    REQUIRE(wanted(text, trace) == numbers);
  }
}

TEST_CASE("what is no query is told where it stops to be one") {
  CHECK(why_not("") == "at its end a term is expected");
  CHECK(why_not("host example.org") == "at 'example.org' an address is expected, and no name");
  CHECK(why_not("host 10.1") == "at '10.1' an address is expected, and no name");
  CHECK(why_not("port 65536") == "at '65536' a port is a number up to 65535");
  CHECK(why_not("port http") == "at 'http' a port is a number up to 65535");
  CHECK(why_not("ip proto 256") == "at '256' a protocol is a number up to 255");
  CHECK(why_not("ip 6") == "at '6' proto is expected");
  CHECK(why_not("net 1.2.3.0") == "at its end / or mask is expected");
  CHECK(why_not("net 1.2.3.0/33") == "at '33' a number of bits up to 32 is expected");
  CHECK(why_not("net 1.2.3.0 mask 255.0.255.0").starts_with("at '255.0.255.0' a mask of the address's kind"));
  CHECK(why_not("net 1.2.3.0 mask ffff::").starts_with("at 'ffff::' a mask of the address's kind"));
  CHECK(why_not("(tcp") == "at its end a ) is missing");
  CHECK(why_not("tcp udp") == "at 'udp' and, or, && or || is expected");
  CHECK(why_not("tcp and") == "at its end a term is expected");
  CHECK(why_not("tcp & udp") == "at '&' and, or, && or || is expected");
  CHECK(why_not("not tcp") == "at 'not' a term is expected");
  for (const char* time : {"before yesterday", "before 45m", "before ago", "after 3x ago", "after -3h ago", "before",
                           "before 2012-11-03T11:05:00Z ago"})
    CHECK(why_not(time).find("a time is expected") != std::string::npos);
  CHECK(why_not(std::string(1'000, '(')).find("too many parentheses") != std::string::npos);
}

TEST_CASE("no text makes the parser do more than refuse it") {
  constexpr std::uint64_t seed = 20261127;
  INFO("seed " << seed);
  test::Random random(seed);
  const std::array<std::string, 20> pieces{"host", "1.2.3.4", "net", "/",      "8",   "mask", "port",
                                           "ip",   "proto",   "tcp", "(",      ")",   "and",  "||",
                                           "&&",   "|",       "ago", "before", "45m", "\xff"};
  for (int round = 0; round < 3'000; ++round) {
    std::string text;
    for (auto length = random.below(12); length > 0; --length)
      text += pieces[random.below(pieces.size())] + (random.below(3) ? " " : "");
    (void)stenographer_query(text, now);
  }
}

#endif

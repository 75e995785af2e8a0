// SPDX-License-Identifier: BSD-3-Clause

#include <random>

#include "support/catch.hpp"
#include "wirespool/time_text.hpp"

using namespace wirespool;

namespace {

constexpr Timestamp now{1795247670'000000000};  // 2026-11-21T07:54:30Z, as date(1) says

std::uint64_t ns(std::string_view text) {
  const auto moment = parse_time(text, now);
  INFO(text);
  REQUIRE(moment);
  return moment->ns;
}

}  // namespace

TEST_CASE("RFC 3339 times are read, with any zone and fraction") {
  CHECK(ns("2026-11-21T07:54:30Z") == now.ns);
  CHECK(ns("2026-11-21t07:54:30z") == now.ns);
  CHECK(ns("2026-11-21 07:54:30Z") == now.ns);
  CHECK(ns("2026-11-21T08:54:30+01:00") == now.ns);
  CHECK(ns("2026-11-21T02:24:30-05:30") == now.ns);
  CHECK(ns("2026-11-21T07:54:30.5Z") == now.ns + 500'000'000);
  CHECK(ns("2026-11-21T07:54:30.123456789Z") == now.ns + 123456789);
  CHECK(ns("2026-11-21T07:54:30.1234567899Z") == now.ns + 123456789);
  CHECK(ns("1970-01-01T00:00:00Z") == 0);
  CHECK(ns("2024-02-29T00:00:00Z") == 1709164800'000000000);
  CHECK(ns("2016-12-31T23:59:60Z") == 1483228799'000000000);
}

TEST_CASE("seconds since the epoch are read, with a fraction") {
  CHECK(ns("1795247670") == now.ns);
  CHECK(ns("1795247670.123456789") == now.ns + 123456789);
  CHECK(ns("0.5") == 500'000'000);
}

TEST_CASE("times before and after now are read") {
  CHECK(ns("-10m") == now.ns - 600'000'000'000);
  CHECK(ns("-1h30m") == now.ns - 5'400'000'000'000);
  CHECK(ns("-1.5s") == now.ns - 1'500'000'000);
  CHECK(ns("-250ms") == now.ns - 250'000'000);
  CHECK(ns("-3us") == now.ns - 3'000);
  CHECK(ns("-7ns") == now.ns - 7);
  CHECK(ns("-2d") == now.ns - 172'800'000'000'000);
  CHECK(ns("+5s") == now.ns + 5'000'000'000);
  CHECK(ns("-100000d") == 0);
}

TEST_CASE("anything else is refused, with what is accepted") {
  for (const auto text : {"",
                          "-",
                          "+",
                          "now",
                          "-10",
                          "-10x",
                          "-m",
                          "10m",
                          "1795247670s",
                          "1.",
                          ".5",
                          "-1.s",
                          "2026-11-21",
                          "2026-11-21T07:54:30",
                          "2026-11-21T07:54Z",
                          "2026-13-01T00:00:00Z",
                          "2026-02-29T00:00:00Z",
                          "2026-11-21T24:00:00Z",
                          "2026-11-21T07:60:30Z",
                          "2026-11-21T07:54:30+1",
                          "2026-11-21T07:54:30Zx",
                          "1969-12-31T23:59:59Z",
                          "99999999999999999999",
                          "-99999999999999999999s",
                          "18446744074",
                          "9999-12-31T23:59:59Z"}) {
    INFO(text);
    const auto moment = parse_time(text, now);
    CHECK_FALSE(moment);
  }
  CHECK(parse_time("x", now).error().what_to_do.find("RFC 3339") != std::string::npos);
}

TEST_CASE("a refusal names the text, why and what is accepted") {
  const auto refused = from_rfc3339("yesterday");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message() == "yesterday: it is no time of RFC 3339: write it as 2026-11-21T07:54:30.5Z");
}

TEST_CASE("what is no time of RFC 3339 is refused where that is asked for, though people may write it elsewhere") {
  for (const auto* text : {"1795247670", "-10m", "+5s"}) {
    CHECK(parse_time(text, now));
    CHECK_FALSE(from_rfc3339(text));
  }
}

TEST_CASE("any moment's RFC 3339 text gives it back to the nanosecond") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  for (const auto ns : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}})
    CHECK(from_rfc3339(rfc3339(Timestamp{ns})) == Timestamp{ns});
  for (int round = 0; round < 20'000; ++round) {
    const Timestamp time{random() >> (random() % 64)};
    CAPTURE(time.ns, rfc3339(time));
    REQUIRE(from_rfc3339(rfc3339(time)) == time);
  }
}

TEST_CASE("random text is survived") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  const std::string letters = "0123456789-+:.TZsmhdun ";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto length = random() % 30; length > 0; --length) text += letters[random() % letters.size()];
    (void)parse_time(text, now);
  }
}

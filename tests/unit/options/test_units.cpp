// SPDX-License-Identifier: BSD-3-Clause
#include <random>
#include <tuple>

#include "options/values.hpp"
#include "support/catch.hpp"

using namespace wirespool::options;

namespace {

std::string random_text(std::mt19937_64& random) {
  const std::string likely = "0123456789.,- KMGTiBbnsumh";
  std::string text;
  for (auto length = random() % 24; length > 0; --length) {
    text += random() % 8 == 0 ? static_cast<char>(random()) : likely[random() % likely.size()];
  }
  return text;
}

}  // namespace

TEST_CASE("sizes are bytes, powers of 1000 or powers of 1024") {
  const auto [text, bytes] = GENERATE(table<std::string, std::uint64_t>({{"0", 0},
                                                                         {"512", 512},
                                                                         {"4K", 4000},
                                                                         {"4k", 4000},
                                                                         {"4KB", 4000},
                                                                         {"4KiB", 4096},
                                                                         {"5632KiB", 5632 * 1024},
                                                                         {"1MiB", 1 << 20},
                                                                         {"1 MiB", 1 << 20},
                                                                         {"2M", 2'000'000},
                                                                         {"4GiB", 4ull << 30},
                                                                         {"1.5GiB", 3ull << 29},
                                                                         {"0.1GiB", 107374182},
                                                                         {"1.5", 2},
                                                                         {"2T", 2'000'000'000'000},
                                                                         {"1TiB", 1ull << 40},
                                                                         {"9223372036854775807", ~0ull >> 1}}));
  CAPTURE(text);
  CHECK(parse_size(text) == bytes);
}

TEST_CASE("times are seconds or carry their unit") {
  const auto [text, ns] = GENERATE(table<std::string, std::uint64_t>({{"0", 0},
                                                                      {"1", 1'000'000'000},
                                                                      {"0.5", 500'000'000},
                                                                      {"1ns", 1},
                                                                      {"0.1us", 100},
                                                                      {"250us", 250'000},
                                                                      {"10ms", 10'000'000},
                                                                      {"60s", 60'000'000'000},
                                                                      {"1.5m", 90'000'000'000},
                                                                      {"2h", 7'200'000'000'000}}));
  CAPTURE(text);
  CHECK(parse_time(text) == ns);
}

TEST_CASE("a size that is none is refused, and the accepted forms shown") {
  const auto text = GENERATE(as<std::string>{}, "", " ", "x", "K", "-1", "+1", "1.", ".5", "1..5", "1Q", "1KiBx",
                             "0x10", "1e6", "1  K", " 1", "1 K ", "1,5G", "\xff");
  CAPTURE(text);
  const auto size = parse_size(text);
  REQUIRE_FALSE(size);
  CHECK_THAT(size.error(), Catch::Contains("KiB, MiB, GiB") && Catch::Contains('"' + text + '"'));
}

TEST_CASE("rates are a second, and in powers of 1000 only") {
  const auto [text, rate] = GENERATE(table<std::string, std::uint64_t>(
      {{"0", 0}, {"1000", 1000}, {"40G", 40'000'000'000}, {"2.5m", 2'500'000}, {"1T", 1'000'000'000'000}}));
  CAPTURE(text);
  CHECK(parse_rate(text) == rate);
}

TEST_CASE("a rate that is none is told what a rate is, and nothing of bytes") {
  const auto text = GENERATE(as<std::string>{}, "", "-1", "fast", "1KiB", "1GB", "10/s", "1e6");
  CAPTURE(text);
  const auto rate = parse_rate(text);
  REQUIRE_FALSE(rate);
  CHECK_THAT(rate.error(), Catch::Contains('"' + text + "\" is not a rate: write how many a second"));
  CHECK_THAT(rate.error(), !Catch::Contains("bytes") && !Catch::Contains("KiB,"));
  CHECK_THAT(parse_rate("20000000T").error(), Catch::Contains("too large for a rate"));
}

TEST_CASE("a time that is none is refused, and the accepted forms shown") {
  const auto text = GENERATE(as<std::string>{}, "", "s", "-1s", "1d", "1sec", "1:30", "1K", "1.s");
  CAPTURE(text);
  const auto time = parse_time(text);
  REQUIRE_FALSE(time);
  CHECK_THAT(time.error(), Catch::Contains("ns, us, ms"));
}

TEST_CASE("numbers that do not fit are too large, not wrapped") {
  const auto text = GENERATE(as<std::string>{}, "18446744073709551616", "99999999999999999999999", "16777216TiB",
                             "18446744073709551615.9", "9223372036854775808", "20000000T");
  CAPTURE(text);
  const auto size = parse_size(text);
  REQUIRE_FALSE(size);
  CHECK_THAT(size.error(), Catch::Contains("too large"));
  CHECK_FALSE(parse_time("99999999999h"));
}

TEST_CASE("a time that would wrap when it is added to a clock's now is refused") {
  const auto text = GENERATE(as<std::string>{}, "10000000000s", "1000001h", "9223372036854775807ns");
  CAPTURE(text);
  const auto time = parse_time(text);
  REQUIRE_FALSE(time);
  CHECK_THAT(time.error(), Catch::Contains("too large"));
  CHECK(parse_time("1000000h") == 3'600'000'000'000'000'000u);
}

TEST_CASE("sizes are said in the largest unit, exactly or to a tenth") {
  const auto [bytes, text] = GENERATE(table<std::uint64_t, std::string>({{0, "0"},
                                                                         {1023, "1023"},
                                                                         {1024, "1KiB"},
                                                                         {1536, "1.5KiB"},
                                                                         {5632 * 1024, "5.5MiB"},
                                                                         {4ull << 30, "4GiB"},
                                                                         {13'385'728, "12.8MiB"},
                                                                         {~0ull, "16777216.0TiB"}}));
  CHECK(format_size(bytes) == text);
}

TEST_CASE("times are said in the unit people use") {
  const auto [ns, text] = GENERATE(table<std::uint64_t, std::string>({{0, "0s"},
                                                                      {1, "1ns"},
                                                                      {1'500, "1500ns"},
                                                                      {250'000'000, "250ms"},
                                                                      {1'000'000'000, "1s"},
                                                                      {60'000'000'000, "60s"},
                                                                      {90'000'000'000, "90s"},
                                                                      {600'000'000'000, "10m"},
                                                                      {7'200'000'000'000, "2h"}}));
  CHECK(format_time(ns) == text);
}

TEST_CASE("what format_time says, parse_time reads back") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  for (int i = 0; i < 2000; ++i) {
    const auto ns = random() >> (random() % 64);
    const auto read = parse_time(format_time(ns));
    if (ns <= 1'000'000 * 3'600'000'000'000ull)  // 114 years: more cannot be added to a clock's now
      REQUIRE(read == ns);
    else
      REQUIRE_FALSE(read.has_value());
  }
}

TEST_CASE("random text never upsets a parser") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  for (int i = 0; i < 20000; ++i) {
    const auto text = random_text(random);
    CAPTURE(text);
    if (const auto size = parse_size(text); !size) REQUIRE_FALSE(size.error().empty());
    if (const auto time = parse_time(text); !time) REQUIRE_FALSE(time.error().empty());
    if (const auto list = parse_number_list(text)) REQUIRE(parse_number_list(format_number_list(*list)) == *list);
  }
}

TEST_CASE("large numbers are grouped for the eye") {
  CHECK(group_digits(0) == "0");
  CHECK(group_digits(999) == "999");
  CHECK(group_digits(1000) == "1,000");
  CHECK(group_digits(5898240) == "5,898,240");
}

TEST_CASE("a list has numbers and ranges and keeps its order") {
  using List = std::vector<unsigned>;
  const auto [text, list] = GENERATE(
      table<std::string, List>({{"0", {0}}, {"1,3-5", {1, 3, 4, 5}}, {"7,2", {7, 2}}, {"4-4", {4}}, {"1,1", {1, 1}}}));
  CHECK(parse_number_list(text) == list);
}

TEST_CASE("lists that are none are refused") {
  const auto text = GENERATE(as<std::string>{}, "", ",", "1,", ",1", "1-", "-1", "5-3", "a", "1 2", "1,,2", "0-65536",
                             "0-4000000000", "99999999999999999999", "1-2-3", "0-65535,0-65535,0");
  CAPTURE(text);
  CHECK_FALSE(parse_number_list(text));
}

TEST_CASE("runs in a list are written as ranges") {
  CHECK(format_number_list(std::vector<unsigned>{}).empty());
  CHECK(format_number_list(std::vector<unsigned>{1, 2}) == "1,2");
  CHECK(format_number_list(std::vector<unsigned>{1, 3, 4, 5, 9}) == "1,3-5,9");
}

TEST_CASE("a share is a percentage from 1 to 99, or a size, and reads back as it is shown") {
  CHECK(parse_share("10%") == wirespool::policy::Share{10, 0});
  CHECK(parse_share("50GiB") == wirespool::policy::Share{0, 50ull << 30});
  for (const auto* text : {"1%", "99%", "50GiB", "1234567"}) CHECK(format_share(*parse_share(text)) == text);
  for (const auto* text : {"0%", "100%", "%", "-1%", "1.5%", "10 %", "10%%", "ten%", "4294967306%", "", "x"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_share(text));
  }
}

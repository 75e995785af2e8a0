// SPDX-License-Identifier: BSD-3-Clause
#include <random>

#include "cli/toml.hpp"
#include "support/catch.hpp"

using namespace wirespool::cli;
using Words = std::vector<std::string>;

namespace {

TomlEntry only_entry(const std::string& text) {
  const auto entries = parse_toml(text);
  INFO(text);
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  return entries->front();
}

// "line: why"
std::string error_of(const std::string& text) {
  const auto entries = parse_toml(text);
  return entries ? "" : std::to_string(entries.error().line) + ": " + entries.error().why;
}

}  // namespace

TEST_CASE("strings, numbers and booleans are read as TOML writes them") {
  const auto [text, value] = GENERATE(table<std::string, std::string>({{"k = \"v\"", "v"},
                                                                       {"k='v'", "v"},
                                                                       {"k = \"\"", ""},
                                                                       {"k = 64", "64"},
                                                                       {"k = +64", "64"},
                                                                       {"k = -64", "-64"},
                                                                       {"k = 1_000_000", "1000000"},
                                                                       {"k = 0.5", "0.5"},
                                                                       {"k = true", "true"},
                                                                       {"  k\t=\tfalse  ", "false"},
                                                                       {"\"k\" = 1", "1"}}));
  const auto entry = only_entry(text);
  CHECK(entry.key == "k");
  CHECK(entry.values == Words{value});
  CHECK_FALSE(entry.is_array);
}

TEST_CASE("a hash in a string is text, elsewhere it starts a comment") {
  CHECK(only_entry("k = \"/data/a#b\" # here").values[0] == "/data/a#b");
  CHECK(only_entry("# first\nk = 1# second\n#third").values[0] == "1");
}

TEST_CASE("escapes stand for what TOML says, and only between double quotes") {
  CHECK(only_entry(R"(k = "a\"b\\c\td\u00e9\u20ac")").values[0] == "a\"b\\c\td\xc3\xa9\xe2\x82\xac");
  CHECK(only_entry(R"(k = 'a\b')").values[0] == "a\\b");
}

TEST_CASE("only an unquoted true or false is a boolean") {
  CHECK(only_entry("k = true").is_boolean);
  CHECK_FALSE(only_entry("k = \"true\"").is_boolean);
  CHECK_FALSE(only_entry("k = 1").is_boolean);
}

TEST_CASE("arrays go over lines, with comments and a last comma") {
  const auto entry = only_entry("eal = [ \"-l\", \"0@0,1@0\", # lcores\n  '--no-pci',\n\n 7,\n]\n");
  CHECK(entry.is_array);
  CHECK(entry.values == Words{"-l", "0@0,1@0", "--no-pci", "7"});
  CHECK(only_entry("k = []").values.empty());
}

TEST_CASE("entries know their lines") {
  const auto entries = parse_toml("\xef\xbb\xbf# head\r\na = 1\r\n\r\nb = [1,\r\n2]\r\nc = 3");
  REQUIRE(entries);
  REQUIRE(entries->size() == 3);
  CHECK((*entries)[0].line == 2);
  CHECK((*entries)[1].line == 4);
  CHECK((*entries)[2].line == 6);
}

TEST_CASE("what is not understood is refused with its line") {
  const auto [text, error] = GENERATE(table<std::string, std::string>(
      {{"\n[capture]", "2: there are no tables here: each line is an option"},
       {"a.b = 1", "1: keys are option names, without dots"},
       {"a", "1: a line is: option = value"},
       {"a = ", "1: a value is a number, true, false, or text in quotes"},
       {"until = disk", "1: a value is a number, true, false, or text in quotes"},
       {"k = 4GiB", "1: a value is a number, true, false, or text in quotes"},
       {"k = 1979-05-27", "1: a value is a number, true, false, or text in quotes"},
       {"k = \"a", "1: a string does not end on its line"},
       {"k = \"a\nb\"", "1: a string does not end on its line"},
       {"k = \"\"\"a\"\"\"", "1: strings of several lines are not read here"},
       {"k = \"\\q\"", "1: no such escape in a string (in 'single quotes' there are none)"},
       {"k = \"\\u12\"", "1: \\u takes four hexadecimal digits"},
       {"k = [1, 2", "1: the array of \"k\" does not end"},
       {"k = [1 2]", "1: an array is: [value, value]"},
       {"k = [[1]]", "1: a value is a string, a number, true or false"},
       {"k = {a = 1}", "1: a value is a string, a number, true or false"},
       {"k = 1 2", "1: something follows the value of \"k\""},
       {"k = 1\nk = 2", "2: \"k\" is set twice"},
       {"= 1", "1: a line is: option = value"}}));
  CAPTURE(text);
  CHECK(error_of(text) == error);
}

TEST_CASE("an empty file sets nothing") {
  const auto text = GENERATE(as<std::string>{}, "", "\n", "# only a comment", "\xef\xbb\xbf", "  \t \r\n");
  const auto entries = parse_toml(text);
  REQUIRE(entries);
  CHECK(entries->empty());
}

TEST_CASE("random bytes never upset the reader") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  const std::string likely = "k=\"'[]#,\n\r\\u0 1.true_-+";
  for (int i = 0; i < 20000; ++i) {
    std::string text = random() % 2 == 0 ? "k = " : "";
    for (auto length = random() % 40; length > 0; --length) {
      text += random() % 16 == 0 ? static_cast<char>(random()) : likely[random() % likely.size()];
    }
    CAPTURE(text);
    if (const auto entries = parse_toml(text); !entries) REQUIRE_FALSE(entries.error().why.empty());
  }
}

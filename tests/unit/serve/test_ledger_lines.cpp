// SPDX-License-Identifier: BSD-3-Clause
// Which bytes of a ledger are sent when not all of it is asked for.
#include "serve/ledger_lines.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool;
using namespace wirespool::serve;
using namespace wirespool::test;

namespace {

struct Ledger {
  TempDir directory;
  std::string text;
  std::string path = directory / "t.ledger.jsonl";

  explicit Ledger(std::string content) : text(std::move(content)) { std::ofstream(path) << text; }

  storage::ReadFile open() const {
    auto file = storage::ReadFile::open(path);
    REQUIRE(file);
    return std::move(*file);
  }
  std::string part(const Lines& lines) const { return text.substr(lines.begin, lines.end - lines.begin); }
  std::string all() const { return part(*all_lines(open())); }
  std::string last(std::uint64_t count) const { return part(*last_lines(open(), count)); }
  std::string spread(std::uint64_t count) const {
    const auto lines = spread_lines(open(), count);
    REQUIRE(lines);
    std::string parts;
    for (const auto& run : *lines) parts += part(run);
    return parts;
  }
};

// "line 1;...\n": each of `length` bytes.
std::string numbered_lines(std::uint64_t count, std::size_t length) {
  std::string text;
  for (std::uint64_t i = 1; i <= count; ++i) {
    auto line = "line " + std::to_string(i) + ";";
    line.resize(length - 1, '.');
    text += line + "\n";
  }
  return text;
}

std::size_t lines_in(const std::string& text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

}  // namespace

TEST_CASE("the line that a capture is just writing is not sent") {
  const Ledger ledger("a\nbb\nccc");
  CHECK(ledger.all() == "a\nbb\n");
  CHECK(ledger.last(1) == "bb\n");
  CHECK(ledger.last(2) == "a\nbb\n");
  CHECK(ledger.last(100) == "a\nbb\n");
  CHECK(ledger.spread(1) == "bb\n");
  CHECK(ledger.spread(2) == "a\nbb\n");
}

TEST_CASE("a ledger without a whole line has none") {
  for (const char* text : {"", "x"}) {
    const Ledger ledger(text);
    CHECK(ledger.all().empty());
    CHECK(ledger.last(3).empty());
    CHECK(ledger.spread(3).empty());
  }
}

TEST_CASE("the last lines are those at the end, however long they are") {
  for (const std::size_t length : {20, 4096, 4097, 10'000}) {
    const Ledger ledger(numbered_lines(50, length));
    CHECK(ledger.last(3) == ledger.text.substr(47 * length));
  }
}

TEST_CASE("lines that are spread are whole, in order, no more than asked for, with the first and the last") {
  for (const std::size_t length : {20, 4095, 4096, 9'000}) {
    const Ledger ledger(numbered_lines(1000, length));
    for (const std::uint64_t count : {2, 3, 10, 999}) {
      INFO(length << " bytes a line, " << count << " lines");
      const auto spread = ledger.spread(count);
      CHECK(lines_in(spread) <= count);
      CHECK(lines_in(spread) + 1 >= count);
      CHECK(spread.size() == lines_in(spread) * length);
      CHECK(spread.starts_with("line 1;"));
      CHECK(spread.ends_with(ledger.text.substr(999 * length)));
      std::uint64_t before = 0;
      for (std::size_t at = 0; at < spread.size(); at += length) {
        const auto number = std::stoull(spread.substr(at + 5));
        CHECK(number > before);
        before = number;
      }
    }
  }
}

TEST_CASE("a ledger that is shorter than what is asked for is sent whole") {
  const Ledger ledger(numbered_lines(100, 50));
  CHECK(ledger.spread(4000) == ledger.text);
}

TEST_CASE("a line without an end is an error, and not read for ever") {
  const Ledger ledger(std::string((16 << 20) + 8192, 'x'));
  const auto lines = all_lines(ledger.open());
  REQUIRE_FALSE(lines);
  CHECK(lines.error().code == EFBIG);
}

// SPDX-License-Identifier: BSD-3-Clause
#include "format/index_file.hpp"

#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "format/crc32c.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::format;

namespace {

// The worked example of src/format/README.md: three packets of 60 zero bytes in two Blocks of 128 bytes.
IndexHeader example_header() {
  constexpr std::uint64_t start = 1795247670'123456789;
  return {.level = IndexLevel::time,
          .ordered = true,
          .file_bytes = 252,
          .packets = 3,
          .bytes = 180,
          .first = Timestamp{start},
          .last = Timestamp{start + 2000},
          .block_bytes = 128,
          .mark = FileMark{1'700'000'000'000'000'001, 1'700'000'000'000'000'002, 42, 0xdeadbeef},
          .clock = {"tsc", "kernel", 1'203'300},
          .checksums = true,
          .head_checksum = 0xfe1e8d41};
}
std::vector<IndexEntry> example_entries() {
  constexpr std::uint64_t start = 1795247670'123456789;
  return {{24, Timestamp{start}, Timestamp{start + 1000}, 2, 0xe2813955},
          {176, Timestamp{start + 2000}, Timestamp{start + 2000}, 1, 0x065c642b}};
}

std::vector<std::byte> example() { return encode_index(example_header(), example_entries()); }

// A line of "offset  hex hex ...".
void add_hex(std::vector<std::byte>& bytes, const std::string& line) {
  std::istringstream words{line};
  std::string word;
  words >> word;  // the offset
  while (words >> word && word.size() == 2) bytes.push_back(static_cast<std::byte>(std::stoi(word, nullptr, 16)));
}

// The first fenced block after the heading.
std::vector<std::byte> hex_of_readme() {
  std::ifstream file{WIRESPOOL_FORMAT_README};
  std::vector<std::byte> bytes;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```hex") inside = true;
    if (line == "```") inside = false;
    if (inside && !line.starts_with("```")) add_hex(bytes, line);
  }
  return bytes;
}

// The same packets as a release wrote them: "0.1.0" version 1, "0.2.0" version 2.
std::vector<std::byte> written_by(const std::string& release) {
  std::ifstream file{WIRESPOOL_SAMPLES "/index-" + release + ".hex"};
  std::vector<std::byte> bytes;
  for (std::string line; std::getline(file, line);) add_hex(bytes, line);
  REQUIRE(bytes.size() > index_header_bytes);
  return bytes;
}

void fix_header_checksum(std::vector<std::byte>& bytes) {
  const auto checksum = crc32c(std::span{bytes}.first(index_header_bytes - 4));
  std::memcpy(bytes.data() + index_header_bytes - 4, &checksum, sizeof checksum);
}

}  // namespace

TEST_CASE("an index reads back as what it was made of") {
  const auto index = decode_index(example());
  REQUIRE(index);
  CHECK(index->header.file_bytes == 252);
  CHECK(index->header.packets == 3);
  CHECK(index->header.bytes == 180);
  CHECK(index->header.first == example_header().first);
  CHECK(index->header.last == example_header().last);
  CHECK(index->header.block_bytes == 128);
  CHECK(index->header.mark == example_header().mark);
  CHECK(index->header.clock == example_header().clock);
  CHECK(index->header.checksums);
  CHECK(index->header.head_checksum == 0xfe1e8d41);
  REQUIRE(index->entries.size() == 2);
  CHECK(index->entries[1].checksum == 0x065c642b);
  CHECK(index->entries[1].first_record == 176);
  CHECK(index->entries[1].packets == 1);
}

TEST_CASE("the worked example of the format page is what the encoder writes") { CHECK(hex_of_readme() == example()); }

TEST_CASE("the header alone gives the summary") {
  const auto bytes = example();
  const auto header = decode_index_header(std::span{bytes}.first(index_head_bytes));
  REQUIRE(header);
  CHECK(header->packets == 3);
  CHECK(header->mark == example_header().mark);
  CHECK(header->clock == example_header().clock);
  CHECK(decode_index_header(std::span{bytes}.first(index_head_bytes - 1)).error() == IndexProblem::cut_short);
}

TEST_CASE("what is not known of a file comes back as not known, and 0 as 0") {
  auto header = example_header();
  header.mark.reset();
  header.clock = {};
  header.checksums = false;
  const auto unknown = decode_index(encode_index(header, example_entries()));
  REQUIRE(unknown);
  CHECK_FALSE(unknown->header.mark);
  CHECK(unknown->header.clock == FileClock{});
  CHECK_FALSE(unknown->header.clock.error_ns);
  header.mark = FileMark{};
  header.clock = {"hw", "none", 0};
  header.checksums = true;
  auto entries = example_entries();
  entries[0].checksum = 0;
  const auto zero = decode_index(encode_index(header, entries));
  REQUIRE(zero);
  CHECK(zero->header.mark == FileMark{});
  CHECK(zero->header.clock == FileClock{"hw", "none", 0});
  CHECK(zero->header.has_checksum(zero->entries[0]));
}

TEST_CASE("a word of the clock that has no room is not known, and no other word") {
  auto header = example_header();
  header.clock = {"12345678", "123456789", 5};
  CHECK(decode_index(encode_index(header, example_entries()))->header.clock == FileClock{"12345678", "", 5});
}

TEST_CASE("an index of a file without packets is empty and valid") {
  IndexHeader header;
  header.file_bytes = 24;
  const auto index = decode_index(encode_index(header, {}));
  REQUIRE(index);
  CHECK(index->entries.empty());
}

TEST_CASE("filters of the flow level come back whole") {
  auto header = example_header();
  header.level = IndexLevel::flow;
  const std::vector<std::uint32_t> lines{2, 0};
  std::vector<std::byte> filters(64, std::byte{0x5a});
  const auto index = decode_index(encode_index(header, example_entries(), {lines, filters}));
  REQUIRE(index);
  CHECK(index->filter_lines == lines);
  CHECK(index->filter_offsets == std::vector<std::uint64_t>{0, 64});
  CHECK(std::ranges::equal(index->filter_bytes(), filters));
}

TEST_CASE("indices of earlier versions are read, and tell what they knew") {
  const auto release = GENERATE(std::string("0.1.0"), std::string("0.2.0"));
  CAPTURE(release);
  const auto bytes = written_by(release);
  const auto index = decode_index(bytes);
  REQUIRE(index);
  CHECK(index->header.packets == 3);
  CHECK(index->header.first == example_header().first);
  CHECK(index->entries[1].first_record == 176);
  CHECK(index->header.mark == (release == "0.1.0" ? std::nullopt : example_header().mark));
  CHECK(index->header.clock == FileClock{});
  CHECK_FALSE(index->header.has_checksum(index->entries[0]));  // as a capture wrote them
  const auto head = decode_index_header(std::span{bytes}.first(std::min(bytes.size(), index_head_bytes)));
  REQUIRE(head);
  CHECK(head->mark == index->header.mark);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    REQUIRE_FALSE(decode_index(damaged));
  }
}

TEST_CASE("an index of an earlier version has checksums where they are not 0") {
  const IndexHeader header;
  CHECK(header.has_checksum({.checksum = 1}));
  CHECK_FALSE(header.has_checksum({.checksum = 0}));
}

TEST_CASE("each part of the head is checked by itself") {
  const auto bytes = example();
  for (std::size_t bit = 0; bit < index_head_bytes * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    REQUIRE_FALSE(decode_index_header(std::span{damaged}.first(index_head_bytes)));
  }
}

TEST_CASE("an index from a newer version is told from a damaged one") {
  auto bytes = example();
  bytes[8] = std::byte{4};
  CHECK(decode_index(bytes).error() == IndexProblem::newer_version);
}

TEST_CASE("every single flipped bit is noticed") {
  const auto bytes = example();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    REQUIRE_FALSE(decode_index(damaged));
  }
}

TEST_CASE("an index cut at any byte is refused") {
  const auto bytes = example();
  for (std::size_t length = 0; length < bytes.size(); ++length)
    REQUIRE_FALSE(decode_index({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)}));
}

TEST_CASE("an index longer than it says is refused") {
  auto bytes = example();
  bytes.push_back(std::byte{0});
  CHECK(decode_index(bytes).error() == IndexProblem::damaged);
}

TEST_CASE("numbers that contradict each other are refused in spite of right checksums") {
  const auto entries = example_entries();
  auto refuses = [](const IndexHeader& header, std::span<const IndexEntry> rows) {
    return !decode_index(encode_index(header, rows));
  };
  auto header = example_header();
  header.packets = 4;
  CHECK(refuses(header, entries));
  header = example_header();
  header.file_bytes = 176;
  CHECK(refuses(header, entries));
  auto rows = entries;
  rows[1].first_record = 24;
  CHECK(refuses(example_header(), rows));
  rows = entries;
  rows[0].first = Timestamp{rows[0].last.ns + 1};
  CHECK(refuses(example_header(), rows));
}

TEST_CASE("a number of entries that does not fit the file is refused, not believed") {
  auto bytes = example();
  const std::uint32_t many = 0xffffffff;
  std::memcpy(bytes.data() + 12, &many, sizeof many);
  fix_header_checksum(bytes);
  CHECK(decode_index(bytes).error() == IndexProblem::damaged);
}

TEST_CASE("random bytes are never taken for an index") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  for (int round = 0; round < 1000; ++round) {
    std::vector<std::byte> bytes(random() % 300);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    REQUIRE_FALSE(decode_index(bytes));
  }
}

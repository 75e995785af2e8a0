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

// The worked example of src/format/README.md: three packets of 60 bytes in two Blocks of 128 bytes.
IndexHeader example_header() {
  constexpr std::uint64_t start = 1795247670'123456789;
  return {IndexLevel::time, true, 252, 3, 180, Timestamp{start}, Timestamp{start + 2000}, 128, 0, {}};
}
std::vector<IndexEntry> example_entries() {
  constexpr std::uint64_t start = 1795247670'123456789;
  return {{24, Timestamp{start}, Timestamp{start + 1000}, 2, 0},
          {176, Timestamp{start + 2000}, Timestamp{start + 2000}, 1, 0}};
}

std::vector<std::byte> example() { return encode_index(example_header(), example_entries()); }

// The first fenced block after the heading, as bytes: lines of "offset  hex hex ...".
std::vector<std::byte> hex_of_readme() {
  std::ifstream file{WIRESPOOL_FORMAT_README};
  std::vector<std::byte> bytes;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```hex") inside = true;
    if (line == "```") inside = false;
    if (!inside || line.starts_with("```")) continue;
    std::istringstream words{line};
    std::string word;
    words >> word;  // the offset
    while (words >> word && word.size() == 2) bytes.push_back(static_cast<std::byte>(std::stoi(word, nullptr, 16)));
  }
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
  REQUIRE(index->entries.size() == 2);
  CHECK(index->entries[1].first_record == 176);
  CHECK(index->entries[1].packets == 1);
}

TEST_CASE("the worked example of the format page is what the encoder writes") { CHECK(hex_of_readme() == example()); }

TEST_CASE("the header alone gives the summary") {
  const auto bytes = example();
  const auto header = decode_index_header(std::span{bytes}.first(index_header_bytes));
  REQUIRE(header);
  CHECK(header->packets == 3);
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

TEST_CASE("an index of version 2 tells by what its file is known again, in its head already") {
  auto header = example_header();
  header.mark = FileMark{1'700'000'000'000'000'001, 1'700'000'000'000'000'002, 42, 0xdeadbeef};
  const auto bytes = encode_index(header, example_entries());
  CHECK(bytes.size() == example().size() + index_head_bytes - index_header_bytes);
  CHECK(decode_index_header(std::span{bytes}.first(index_head_bytes))->mark == header.mark);
  CHECK(decode_index_header(std::span{bytes}.first(index_head_bytes - 1)).error() == IndexProblem::cut_short);
  const auto index = decode_index(bytes);
  REQUIRE(index);
  CHECK(index->header.mark == header.mark);
  CHECK(index->entries.size() == 2);
  CHECK_FALSE(decode_index(example())->header.mark);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    REQUIRE_FALSE(decode_index(damaged));
    if (bit < index_head_bytes * 8) REQUIRE_FALSE(decode_index_header(std::span{damaged}.first(index_head_bytes)));
  }
}

TEST_CASE("an index from a newer version is told from a damaged one") {
  auto bytes = example();
  bytes[8] = std::byte{3};
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

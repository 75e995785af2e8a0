// SPDX-License-Identifier: BSD-3-Clause
#include "format/live_file.hpp"

#include <string>

#include "format/bytes.hpp"
#include "format/crc32c.hpp"
#include "format/file_name.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::format;

namespace {

LiveFile example() {
  return {Timestamp{1'795'247'670'123'456'789},
          1'000'000'000,
          3,
          12'345'678,
          {{".t-20261121T075430.123456789Z-w00-000003.pcap.open", 42, 1'048'576, 1'048'000, 700, 0, 1},
           {".t-20261121T075430.123456789Z-w01-000000.pcap.open", 43, 24, 0, 0, 1, 0}}};
}

}  // namespace

TEST_CASE("a live file is read as it was written") {
  CHECK(decode_live_file(encode_live_file(example())) == example());
  CHECK(decode_live_file(encode_live_file({})) == LiveFile{});
}

TEST_CASE("the fields of a live file are where the README says") {
  const auto bytes = encode_live_file(example());
  REQUIRE(bytes.size() == 64 + 2 * 192);
  CHECK(std::string(reinterpret_cast<const char*>(bytes.data()), 8) == std::string("WSPLIVE\0", 8));
  CHECK(load<std::uint16_t>(bytes, 8) == 1);
  CHECK(load<std::uint16_t>(bytes, 10) == 192);
  CHECK(load<std::uint32_t>(bytes, 12) == 2);
  CHECK(load<std::uint64_t>(bytes, 16) == 1'795'247'670'123'456'789);
  CHECK(load<std::uint64_t>(bytes, 24) == 1'000'000'000);
  CHECK(load<std::uint64_t>(bytes, 32) == 3);
  CHECK(load<std::uint64_t>(bytes, 40) == 12'345'678);
  CHECK(load<std::uint32_t>(bytes, 60) == crc32c(std::span(bytes).subspan(64), crc32c(std::span(bytes).first(60))));
  CHECK(load<std::uint64_t>(bytes, 64) == 1'048'576);
  CHECK(load<std::uint64_t>(bytes, 72) == 1'048'000);
  CHECK(load<std::uint64_t>(bytes, 80) == 700);
  CHECK(load<std::uint64_t>(bytes, 88) == 42);
  CHECK(load<std::uint32_t>(bytes, 96) == 0);
  CHECK(load<std::uint32_t>(bytes, 100) == 1);
  CHECK(std::string(reinterpret_cast<const char*>(bytes.data()) + 104) == example().files[0].name);
}

TEST_CASE("of a live file that was longer, only what it says it has is read") {
  auto bytes = encode_live_file(example());
  auto shorter = example();
  shorter.files.pop_back();
  const auto over = encode_live_file(shorter);
  std::copy(over.begin(), over.end(), bytes.begin());
  CHECK(decode_live_file(bytes) == shorter);
}

TEST_CASE("a live file that is cut or damaged at any byte is refused") {
  const auto bytes = encode_live_file(example());
  for (std::size_t length = 0; length < bytes.size(); ++length)
    if (decode_live_file(std::span(bytes).first(length))) FAIL("cut to " << length);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto damaged = bytes;
    damaged[at] ^= std::byte{0x10};
    if (decode_live_file(damaged)) FAIL("damaged at " << at);
  }
}

TEST_CASE("the name of a live file gives its stem back, and other hidden names do not") {
  CHECK(live_file_name("wire-1.a") == ".wire-1.a.live");
  CHECK(parse_live_file_name(".wire-1.a.live") == "wire-1.a");
  CHECK_FALSE(parse_live_file_name("wire.live"));
  CHECK_FALSE(parse_live_file_name(".live"));
  CHECK_FALSE(parse_live_file_name(".-x.live"));
  CHECK_FALSE(parse_live_file_name(".a/b.live"));
  CHECK_FALSE(parse_file_name(".wire.live"));
  CHECK_FALSE(parse_hidden_file_name(".wire.live"));
}

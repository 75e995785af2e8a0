// SPDX-License-Identifier: BSD-3-Clause
#include "format/crc32c.hpp"

#include <array>
#include <numeric>
#include <random>
#include <string_view>
#include <vector>

#include "support/catch.hpp"

using namespace wirespool::format;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span{text}); }

}  // namespace

TEST_CASE("CRC-32C agrees with the published values") {
  CHECK(crc32c(bytes_of("123456789")) == 0xe3069283);  // the check value of CRC catalogues
  const std::vector<std::byte> zeros(32), ones(32, std::byte{0xff});
  CHECK(crc32c(zeros) == 0x8a9136aa);  // RFC 7143, appendix A.4
  CHECK(crc32c(ones) == 0x62a8ab43);
  CHECK(crc32c({}) == 0);
}

TEST_CASE("CRC-32C agrees with the examples of RFC 3720, B.4, by the instruction and by the table") {
  std::array<std::uint8_t, 32> up{}, down{};
  std::iota(up.begin(), up.end(), std::uint8_t{0});
  std::iota(down.rbegin(), down.rend(), std::uint8_t{0});
  const std::array<std::uint8_t, 48> read_10 = {0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,
                                                0x14, 0,    0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
                                                0x28, 0,    0, 0, 0, 0, 0, 0, 2, 0, 0, 0,    0, 0, 0, 0};
  const std::vector<std::pair<std::span<const std::uint8_t>, std::uint32_t>> examples = {
      {up, 0x46dd794e}, {down, 0x113fdb5c}, {read_10, 0xd9963a56}};
  for (const auto& [bytes, sum] : examples) {
    CHECK(crc32c(std::as_bytes(bytes)) == sum);
    CHECK(crc32c_by_table(std::as_bytes(bytes)) == sum);
  }
}

TEST_CASE("the instruction, the table and every cut in between give the same CRC-32C") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  std::vector<std::byte> bytes(20'000);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random());
  for (int round = 0; round < 200; ++round) {
    const auto length = random() % (bytes.size() + 1);
    const auto cut = random() % (length + 1);
    const std::span<const std::byte> all{bytes.data(), length};
    const auto expected = crc32c_by_table(all);
    REQUIRE(crc32c(all) == expected);
    REQUIRE(crc32c(all.subspan(cut), crc32c(all.first(cut))) == expected);
    REQUIRE(crc32c_join(crc32c(all.first(cut)), crc32c(all.subspan(cut)), length - cut) == expected);
  }
}

// SPDX-License-Identifier: BSD-3-Clause
#include "format/file_name.hpp"

#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "support/catch.hpp"
#include "wirespool/time_text.hpp"

using namespace wirespool;
using namespace wirespool::format;

namespace {

// 2026-11-21T07:54:30.123456789Z, as `date -u -d @1795247670` says.
constexpr Timestamp a_time{1795247670'123456789};

std::string random_stem(std::mt19937_64& random) {
  const std::string letters = "ABCXYZabcxyz0189_-.";
  std::string stem;
  const auto length = 1 + random() % 64;
  while (stem.size() < length) stem += letters[random() % letters.size()];
  if (stem.front() == '.' || stem.front() == '-') stem.front() = 'w';
  return stem;
}

FileName random_name(std::mt19937_64& random) {
  return {random_stem(random), Timestamp{random()}, static_cast<unsigned>(random()) >> (random() % 32),
          static_cast<unsigned>(random()) >> (random() % 32),
          random() % 2 == 0 ? FileFormat::pcap : FileFormat::pcapng};
}

}  // namespace

TEST_CASE("a file name is stem, UTC time, writer and sequence") {
  CHECK(format_file_name({"wirespool", a_time, 3, 42}) == "wirespool-20261121T075430.123456789Z-w03-000042.pcap");
  CHECK(format_file_name({"a-b.c", Timestamp{0}, 123, 1234567}) ==
        "a-b.c-19700101T000000.000000000Z-w123-1234567.pcap");
  CHECK(format_file_name({"w", a_time, 0, 0, FileFormat::pcapng}) == "w-20261121T075430.123456789Z-w00-000000.pcapng");
  CHECK(index_file_name("w-20261121T075430.123456789Z-w00-000000.pcapng") ==
        "w-20261121T075430.123456789Z-w00-000000.idx");
}

TEST_CASE("an open file is hidden and ends in .open") {
  CHECK(hidden_file_name({"w", a_time, 0, 0}) == ".w-20261121T075430.123456789Z-w00-000000.pcap.open");
}

TEST_CASE("an index stands beside its file, sealed or hidden") {
  CHECK(index_file_name("x.pcap") == "x.idx");
  CHECK(index_file_name(".x.pcap.open") == "x.idx");
  CHECK(hidden_index_file_name("x.pcap") == ".x.idx.open");
  CHECK(hidden_index_file_name(".x.pcap.open") == ".x.idx.open");
}

TEST_CASE("a pending file's name leads back to its pcap, and nothing else does") {
  const auto pcap = format_file_name({"a-b", Timestamp{1'763'711'670'123'456'789}, 1, 2});
  CHECK(pcap_of_pending_file(pending_file_name(pcap)) == pcap);
  CHECK_FALSE(pcap_of_pending_file("." + pcap + ".open"));
  CHECK_FALSE(pcap_of_pending_file(".x.pcap.on-seal"));
  CHECK_FALSE(pcap_of_pending_file(pcap + ".on-seal"));
}

TEST_CASE("the capture's own files carry its start") {
  CHECK(capture_file_name("w", a_time) == "w-20261121T075430.123456789Z.capture.json");
  CHECK(ledger_file_name("w", a_time) == "w-20261121T075430.123456789Z.ledger.jsonl");
}

TEST_CASE("every name reads back as what it was made of") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  for (int i = 0; i < 5000; ++i) {
    const auto name = random_name(random);
    CAPTURE(name.stem, name.first.ns, name.writer, name.sequence);
    REQUIRE(parse_file_name(format_file_name(name)) == name);
    REQUIRE(parse_hidden_file_name(hidden_file_name(name)) == name);
  }
}

TEST_CASE("what reads as a name is written again the same way") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  for (int i = 0; i < 20000; ++i) {
    std::string text = format_file_name(random_name(random));
    for (auto changes = random() % 3; changes > 0; --changes)
      text[random() % text.size()] = static_cast<char>(random());
    if (random() % 4 == 0) text.resize(random() % text.size());
    CAPTURE(text);
    if (const auto name = parse_file_name(text)) REQUIRE(format_file_name(*name) == text);
    REQUIRE_FALSE(parse_hidden_file_name(text));
  }
}

TEST_CASE("names of other programs are not ours") {
  const auto text =
      GENERATE(as<std::string>{}, "", "-", ".pcap", ".open", ".on-seal", "..open", "trace.pcap", "x-w00-000000.pcap",
               "w-20261121T075430.123456789Z-w00-000000.pcapn", "w-20261121T075430.123456789Z-w0-000000.pcap",
               "w-20261121T075430.123456789Z-w00-00000.pcap", "w-20261121T075430.123456789Z-w000-000000.pcap",
               "w-20261121T075430.123456789Z-w00-0000000.pcap", "w-20261121T075430.12345678Z-w00-000000.pcap",
               "-20261121T075430.123456789Z-w00-000000.pcap", ".w-20261121T075430.123456789Z-w00-000000.pcap",
               "w-20261121T075430.123456789Z-00-000000.pcap", "w-20261121T075430.123456789Z-w00-99999999999.pcap",
               "d/w-20261121T075430.123456789Z-w00-000000.pcap");
  CAPTURE(text);
  CHECK_FALSE(parse_file_name(text));
  CHECK_FALSE(parse_hidden_file_name(text));
  CHECK_FALSE(pcap_of_pending_file(text));
}

TEST_CASE("times read back to the nanosecond") {
  const auto ns = GENERATE(as<std::uint64_t>{}, 0, 1, 999'999'999, 951'782'400'000'000'000,  // 2000-02-29
                           4'294'967'296'000'000'000,                                        // seconds pass 32 bits
                           std::numeric_limits<std::uint64_t>::max());
  CHECK(parse_compact_time(format_compact_time(Timestamp{ns})) == Timestamp{ns});
}

TEST_CASE("times that never were are refused") {
  const auto text = GENERATE(as<std::string>{}, "20261321T075430.123456789Z", "20260229T075430.123456789Z",
                             "20261121T245430.123456789Z", "20261121T076030.123456789Z", "20261121T075460.123456789Z",
                             "19691231T235959.999999999Z", "25540722T000000.000000000Z", "99991231T235959.999999999Z",
                             "20261121t075430.123456789Z", "20261121T075430,123456789Z", "20261121T075430.123456789",
                             "+0261121T075430.123456789Z", "2026 121T075430.123456789Z", "");
  CAPTURE(text);
  CHECK_FALSE(parse_compact_time(text));
}

TEST_CASE("RFC 3339 has dashes and colons") {
  CHECK(rfc3339(a_time) == "2026-11-21T07:54:30.123456789Z");
  CHECK(rfc3339(Timestamp{0}) == "1970-01-01T00:00:00.000000000Z");
}

TEST_CASE("a stem is a plain word") {
  const auto good = GENERATE(as<std::string>{}, "w", "wirespool", "a-b", "A.b_9", "0");
  CHECK(valid_stem(good));
  CHECK(valid_stem(std::string(64, 'x')));
}

TEST_CASE("a stem that could leave its directory or hide is refused") {
  const auto bad = GENERATE(as<std::string>{}, "", ".", "..", ".x", "-x", "a/b", "a b", "a\n", "\xc3\xa9", "*", "a:b");
  CAPTURE(bad);
  CHECK_FALSE(valid_stem(bad));
  CHECK_FALSE(valid_stem(std::string(65, 'x')));
  CHECK_FALSE(valid_stem(std::string("a\0b", 3)));
}

TEST_CASE("a capture's name is read back as what it was made of, and nothing else is one") {
  const Timestamp start{1'763'711'670'123'456'789};
  for (const std::string stem : {"wirespool", "a-b.c_d", "x-20251121T075430.123456789Z"}) {
    const auto name = capture_name(stem, start);
    CHECK(name == stem + "-20251121T075430.123456789Z");
    CHECK(parse_capture_name(name) == CaptureName{stem, start});
    CHECK(capture_file_name(stem, start) == name + ".capture.json");
    CHECK(ledger_file_name(stem, start) == name + ".ledger.jsonl");
    CHECK(archived_file_name(stem, start) == name + ".archived.json");
  }
  for (const char* text : {"", "wirespool", "-20251121T075430.123456789Z", ".a-20251121T075430.123456789Z",
                           "wirespool-20251121T075430.123456789Z-w00", "wirespool-20251121T075430Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_capture_name(text));
  }
}

// SPDX-License-Identifier: BSD-3-Clause
#include "plan/capture_table.hpp"
#include "plan/listen_address.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using plan::parse_listen_address;

TEST_CASE("an address to serve at is a number with a port, and without an address it is this machine's alone") {
  CHECK(parse_listen_address(":9100") == "127.0.0.1:9100");
  CHECK(parse_listen_address("192.0.2.7:1") == "192.0.2.7:1");
  CHECK(parse_listen_address("0.0.0.0:65535") == "0.0.0.0:65535");
  CHECK(parse_listen_address("[2001:db8::7]:9100") == "[2001:db8::7]:9100");
  CHECK(parse_listen_address("[::]:9100") == "[::]:9100");
}

TEST_CASE("names, half addresses and ports that are none are refused with how it is written") {
  for (const char* text : {"", ":", "9100", ":0", ":65536", ":-1", ":9100x", "localhost:9100", "127.1:9100", "::1:9100",
                           "[::1:9100", "[127.0.0.1]:9100", "256.0.0.1:9100", " :9100", "127.0.0.1:9100 "}) {
    INFO(text);
    CHECK_FALSE(parse_listen_address(text));
  }
  CHECK(parse_listen_address("localhost:9100").error() ==
        "'localhost' is no address: as 127.0.0.1:9100, [::1]:9100 or :9100; names are not looked up");
}

TEST_CASE("--metrics is off unless it is given, and kept as what it means") {
  const auto& rows = plan::capture_table().rows();
  const auto row = std::ranges::find(rows, "--metrics", &options::Option::name);
  REQUIRE(row != rows.end());
  plan::CaptureConfig config;
  CHECK(config.metrics.empty());
  REQUIRE(row->read(config, {":9100"}));
  CHECK(config.metrics == "127.0.0.1:9100");
  CHECK_FALSE(row->read(config, {"here"}));
}

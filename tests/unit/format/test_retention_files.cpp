// SPDX-License-Identifier: BSD-3-Clause
#include "format/retention_files.hpp"

#include <fstream>
#include <string>

#include "format/file_name.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::format;

namespace {

Pin a_pin() {
  return {.when = Timestamp{1'795'247'670'123'456'789},
          .who = "root@probe-a",
          .reason = "ticket \"4711\"",
          .from = Timestamp{1},
          .to = std::nullopt,
          .filter = "host 10.1.2.3",
          .others = {{"x_later", "[1,{\"y\":null}]"}}};
}

Removed removed() {
  return {.files = 1, .packets = 2, .bytes = 3, .file_bytes = 4, .last = Timestamp{5}, .others = {{"x", "\"z\""}}};
}

// Each field taken out in turn.
template <typename Decode>
void check_needs_all_fields(const std::string& text, const std::vector<std::string>& names, Decode decode) {
  for (const auto& name : names) {
    auto without = text;
    const auto at = without.find("\"" + name + "\"");
    REQUIRE(at != std::string::npos);
    without.replace(at, name.size() + 2, "\"other_name\"");
    const auto decoded = decode(without);
    REQUIRE_FALSE(decoded);
    CHECK_THAT(decoded.error(), Catch::Contains(name));
  }
}

}  // namespace

TEST_CASE("a pin and what was removed read back as they were written, with fields of a later version") {
  CHECK(decode_pin(encode_pin(a_pin())) == a_pin());
  CHECK(decode_removed(encode_removed(removed())) == removed());
}

TEST_CASE("where files were moved reads back as it was written, and without its directories is refused") {
  const Archived archived{.directories = {"/slow/t-1/data-nvme0", "/slower \"2\""}, .others = {{"x", "{}"}}};
  CHECK(decode_archived(encode_archived(archived)) == archived);
  CHECK(decode_archived(encode_archived({})) == Archived{});
  check_needs_all_fields(encode_archived(archived), {"directories"}, decode_archived);
}

TEST_CASE("a field that is missing of a pin, or of what was removed, is named and is no zero") {
  check_needs_all_fields(encode_pin(a_pin()), {"when", "who", "reason", "from", "to", "filter"}, decode_pin);
  check_needs_all_fields(encode_removed(removed()), {"files", "packets", "bytes", "file_bytes", "last"},
                         decode_removed);
}

TEST_CASE("the examples of a pin and of what was removed in README are ones") {
  std::ifstream readme(WIRESPOOL_FORMAT_README);
  int pins = 0, removals = 0;
  for (std::string line; std::getline(readme, line);) {
    if (line.starts_with("{\"when\"")) pins += decode_pin(line).has_value();
    if (line.starts_with("{\"files\"")) removals += decode_removed(line).has_value();
  }
  CHECK(pins == 1);
  CHECK(removals == 1);
}

TEST_CASE("what stands beside a file is named after it") {
  const auto pcap = format_file_name({"t", Timestamp{1'795'247'670'123'456'789}, 0, 7});
  CHECK(keep_file_name(pcap) == pcap + ".keep");
  CHECK_FALSE(parse_file_name(keep_file_name(pcap)));
  CHECK(removed_file_name("t", Timestamp{1'795'247'670'123'456'789}) == "t-20261121T075430.123456789Z.removed.json");
}

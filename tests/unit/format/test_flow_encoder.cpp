// SPDX-License-Identifier: BSD-3-Clause
#include "format/flow_encoder.hpp"

#include <map>
#include <vector>

#include "format/address_text.hpp"
#include "format/bytes.hpp"
#include "format/file_name.hpp"
#include "format/flow_key.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::format;

namespace {

std::array<std::byte, 16> address(std::initializer_list<int> bytes) {
  std::array<std::byte, 16> address{};
  std::size_t i = 0;
  for (const auto byte : bytes) address[i++] = static_cast<std::byte>(byte);
  return address;
}

FlowRecord tcp_record() {
  return {.first = {1'796'000'000'123'456'789},
          .last = {1'796'000'001'000'000'001},
          .addresses = {address({128, 232, 110, 120}), address({66, 35, 250, 204})},
          .ports = {34855, 80},
          .vlan = {7, 9},
          .packets = {10, 8},
          .bytes = {1000, 70'000},
          .tcp_flags = {0x1b, 0x12},
          .version = 4,
          .protocol = 6,
          .has_ports = true,
          .end = FlowEnd::fin,
          .port = 1};
}

FlowRecord back(FlowRecord record) {
  std::swap(record.addresses[0], record.addresses[1]);
  std::swap(record.ports[0], record.ports[1]);
  return record;
}

std::string json_of(const FlowRecord& record) {
  std::string text;
  const auto encoder = make_json_flows();
  encoder->add(record, text);
  encoder->flush(text);
  return text;
}

// What IPFIX messages hold, read by their templates: RFC 7011, section 3.
struct IpfixReader {
  using Element = std::pair<unsigned, bool>;  // and whether it is a reverse one
  struct Field {
    Element element;
    std::size_t bytes;
  };
  std::map<unsigned, std::vector<Field>> templates;
  std::vector<std::map<Element, std::string>> records;
  std::vector<std::uint32_t> sequences;  // by message, and how many records came before it
  std::vector<std::size_t> before;

  explicit IpfixReader(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      REQUIRE(load_be16(bytes, 0) == 10);
      const std::size_t length = load_be16(bytes, 2);
      REQUIRE(length <= bytes.size());
      sequences.push_back(swap_bytes(load<std::uint32_t>(bytes, 8)));
      before.push_back(records.size());
      for (auto sets = bytes.subspan(16, length - 16); !sets.empty();) {
        const std::size_t set = load_be16(sets, 2);
        REQUIRE(set >= 4);
        REQUIRE(set <= sets.size());
        read_set(load_be16(sets, 0), sets.subspan(4, set - 4));
        sets = sets.subspan(set);
      }
      bytes = bytes.subspan(length);
    }
  }

  void read_set(unsigned id, std::span<const std::byte> set) {
    while (!set.empty()) set = set.subspan(id == 2 ? read_template(set) : read_record(id, set));
  }

  std::size_t read_template(std::span<const std::byte> set) {
    auto& fields = templates[load_be16(set, 0)];
    std::size_t at = 4;
    for (unsigned left = load_be16(set, 2); left > 0; --left) {
      const unsigned element = load_be16(set, at), bytes = load_be16(set, at + 2);
      const bool reverse = element & 0x8000;
      if (reverse) REQUIRE(swap_bytes(load<std::uint32_t>(set, at + 4)) == 29305);
      fields.push_back({{element & 0x7fff, reverse}, bytes});
      at += reverse ? 8 : 4;
    }
    return at;
  }

  std::size_t read_record(unsigned id, std::span<const std::byte> set) {
    REQUIRE(templates.contains(id));
    std::size_t at = 0;
    auto& record = records.emplace_back();
    for (const auto& field : templates[id]) {
      record[field.element].assign(reinterpret_cast<const char*>(&set[at]), field.bytes);
      at += field.bytes;
    }
    return at;
  }
};

std::uint64_t number(const std::string& bytes) {
  std::uint64_t value = 0;
  for (const auto byte : bytes) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

IpfixReader ipfix_of(const std::vector<FlowRecord>& records) {
  std::string bytes;
  const auto encoder = make_ipfix_flows();
  for (const auto& record : records) encoder->add(record, bytes);
  encoder->flush(bytes);
  return IpfixReader(std::as_bytes(std::span(bytes)));
}

}  // namespace

TEST_CASE("a record has the Community ID of its flow, and null where a fragment has no ports", "[flows]") {
  CHECK(json_of(back(tcp_record())).find("1:LQU9qZlK+B5F3KDmev6m5PMibrg=") != std::string::npos);
  auto record = tcp_record();
  record.protocol = 1;
  record.addresses = {address({192, 168, 0, 89}), address({192, 168, 0, 1})};
  record.ports = {8, 0};
  CHECK(json_of(record).find("1:X0snYXpgwiv9TZtqg64sgzUn6Dk=") != std::string::npos);
  record = tcp_record();
  record.has_ports = false;
  CHECK(json_of(record).find(R"("community_id":null})") != std::string::npos);
}

TEST_CASE("types of ICMP that ask and answer are ports of each other", "[flows]") {
  const auto echo = icmp_ports(1, 8, 0), answer = icmp_ports(1, 0, 0);
  CHECK(echo.source == answer.destination);
  CHECK(echo.destination == answer.source);
  CHECK_FALSE(echo.one_way);
  CHECK(icmp_ports(58, 135, 0).destination == 136);
  CHECK(icmp_ports(1, 3, 4).one_way);
  CHECK(icmp_ports(1, 3, 4).destination == 4);
}

TEST_CASE("addresses are written as RFC 5952 has them", "[flows]") {
  CHECK(address_text(address({10, 0, 0, 255}), 4) == "10.0.0.255");
  CHECK(address_text(address({}), 6) == "::");
  CHECK(address_text(address({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1}), 6) == "2001:db8::1:0:0:1");
  CHECK(address_text(address({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}), 6) == "2001:db8:0:1:1:1:1:1");
  CHECK(address_text(address({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), 6) == "::1");
  CHECK(address_text(address({0xfe, 0x80}), 6) == "fe80::");
  CHECK(address_text(address({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4}), 6) == "::ffff:1.2.3.4");
}

TEST_CASE("a record is one line of JSON", "[flows]") {
  CHECK(json_of(tcp_record()) ==
        R"({"first":"2026-11-30T00:53:20.123456789Z","last":"2026-11-30T00:53:21.000000001Z",)"
        R"("src_ip":"128.232.110.120","dst_ip":"66.35.250.204","src_port":34855,"dst_port":80,"proto":6,)"
        R"("vlan":[7,9],"packets":10,"bytes":1000,"packets_rev":8,"bytes_rev":70000,"tcp_flags":27,)"
        R"("tcp_flags_rev":18,"end":"fin","port":1,"community_id":"1:LQU9qZlK+B5F3KDmev6m5PMibrg="})"
        "\n");
  auto record = tcp_record();
  record.vlan = {Layers::no_vlan, Layers::no_vlan};
  CHECK(json_of(record).find(R"("vlan":[],)") != std::string::npos);
}

TEST_CASE("an IPFIX record has every field of a flow, the way back in reverse elements", "[flows]") {
  const auto reader = ipfix_of({tcp_record()});
  REQUIRE(reader.records.size() == 1);
  auto fields = reader.records[0];
  CHECK(number(fields[{8, false}]) == 0x80e86e78);
  CHECK(number(fields[{12, false}]) == 0x4223facc);
  CHECK(number(fields[{7, false}]) == 34855);
  CHECK(number(fields[{11, false}]) == 80);
  CHECK(number(fields[{4, false}]) == 6);
  CHECK(number(fields[{136, false}]) == 3);
  CHECK(number(fields[{6, false}]) == 0x1b);
  CHECK(number(fields[{6, true}]) == 0x12);
  CHECK(number(fields[{2, false}]) == 10);
  CHECK(number(fields[{1, false}]) == 1000);
  CHECK(number(fields[{2, true}]) == 8);
  CHECK(number(fields[{1, true}]) == 70'000);
  CHECK(number(fields[{10, false}]) == 1);
  CHECK(number(fields[{58, false}]) == 7);
  CHECK(number(fields[{245, false}]) == 9);
}

TEST_CASE("an IPFIX time gives the nanosecond back", "[flows]") {
  for (const std::uint64_t ns : {0ull, 1ull, 123'456'789ull, 500'000'000ull, 999'999'999ull}) {
    auto record = tcp_record();
    record.first.ns = 1'796'000'000'000'000'000 + ns;
    const auto time = number(ipfix_of({record}).records[0][{156, false}]);
    CHECK((time >> 32) - 2'208'988'800 == 1'796'000'000);
    CHECK((time & 0xffffffff) * 1'000'000'000 >> 32 == ns);
  }
}

TEST_CASE("records of all shapes follow each other in any order and any number of messages", "[flows]") {
  std::vector<FlowRecord> records;
  for (unsigned i = 0; i < 5000; ++i) {
    auto record = tcp_record();
    record.version = i % 3 ? 4 : 6;
    record.vlan = {i % 5 ? std::uint16_t{5} : Layers::no_vlan, i % 5 == 2 ? std::uint16_t{6} : Layers::no_vlan};
    record.packets[0] = i + 1;
    records.push_back(record);
  }
  auto reader = ipfix_of(records);
  REQUIRE(reader.records.size() == records.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto& fields = reader.records[i];
    wrong += number(fields[{2, false}]) != i + 1;
    wrong += fields.contains({27, false}) != (i % 3 == 0);
    wrong += fields.contains({58, false}) != (i % 5 != 0);
    wrong += fields.contains({245, false}) != (i % 5 == 2);
  }
  CHECK(wrong == 0);
  CHECK(reader.sequences.size() > 1);
  for (std::size_t i = 0; i < reader.sequences.size(); ++i) CHECK(reader.sequences[i] == reader.before[i]);
}

TEST_CASE("files of flow records are named by time, writer and sequence", "[flows]") {
  const auto name = flow_file_name("probe-1", {1'796'000'000'123'456'789}, 0, 12, ipfix_flows_suffix);
  CHECK(name == "probe-1-20261130T005320.123456789Z-f00-000012.ipfix");
  CHECK(hidden_flow_file_name(name) == "." + name + ".open");
}

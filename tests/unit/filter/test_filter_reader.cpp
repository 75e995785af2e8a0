// SPDX-License-Identifier: BSD-3-Clause
#include "filter/filter_reader.hpp"

#include <sstream>

#include "format/address_text.hpp"
#include "format/flow_key.hpp"
#include "format/key_set.hpp"
#include "support/catch.hpp"

using namespace wirespool;
using namespace wirespool::format;

namespace {

// Keys by name, so that a condition can be read: the expression that means just that key.
std::string name_of(FlowKey key) {
  const std::vector<std::pair<std::string, FlowKey>> names{
      {"a", ipv4_key(parse_ipv4("10.0.0.1")->address, 32)},
      {"b", ipv4_key(parse_ipv4("10.0.0.2")->address, 32)},
      {"10/8", ipv4_key(parse_ipv4("10")->address, 8)},
      {"192.168/16", ipv4_key(parse_ipv4("192.168")->address, 16)},
      {"192.168.0/24", ipv4_key(parse_ipv4("192.168.0")->address, 24)},
      {"192.168.1/24", ipv4_key(parse_ipv4("192.168.1")->address, 24)},
      {"v6", ipv6_key(*parse_ipv6("2001:db8::1"), 128)},
      {"v6/32", ipv6_key(*parse_ipv6("2001:db8::"), 32)},
      {"80", port_key(80)},
      {"81", port_key(81)},
      {"443", port_key(443)},
      {"tcp", protocol_key(6)},
      {"udp", protocol_key(17)},
      {"icmp", protocol_key(1)},
      {"ip", ether_type_key(0x0800)},
      {"arp", ether_type_key(0x0806)},
      {"tag", tagged_key()},
      {"vlan5", vlan_key(5)},
      {"vlan6", vlan_key(6)}};
  for (const auto& [name, named] : names) {
    if (named == key) return name;
  }
  return "?";
}

std::string text_of(const FlowCondition& condition) {
  if (condition.kind == FlowCondition::Kind::anything) return "*";
  if (condition.kind == FlowCondition::Kind::key) return name_of(condition.key);
  std::string text;
  for (const auto& part : condition.parts) {
    if (!text.empty()) text += condition.kind == FlowCondition::Kind::all ? " & " : " | ";
    text += text_of(part);
  }
  return "(" + text + ")";
}

std::string read(std::string_view expression) { return text_of(filter::FilterReader(expression).read()); }

}  // namespace

TEST_CASE("host, net, port, proto and vlan are recognised") {
  CHECK(read("host 10.0.0.1") == "a");
  CHECK(read("src host 10.0.0.1") == "a");
  CHECK(read("dst 10.0.0.1") == "a");
  CHECK(read("src or dst host 10.0.0.1") == "a");
  CHECK(read("ip host 10.0.0.1") == "(ip & a)");
  CHECK(read("ip6 host 2001:db8::1") == "(? & v6)");
  CHECK(read("host 2001:db8::1") == "v6");
  CHECK(read("net 10") == "10/8");
  CHECK(read("net 10.0.0.0/8") == "10/8");
  CHECK(read("net 10.0.0.0 mask 255.0.0.0") == "10/8");
  CHECK(read("net 192.168") == "192.168/16");
  CHECK(read("net 192.168.0.0/23") == "(192.168/16 & (192.168.0/24 | 192.168.1/24))");
  CHECK(read("net 10.0.0.0/15") == "(10/8 & (? | ?))");
  CHECK(read("net 2001:db8::/32") == "v6/32");
  CHECK(read("port 80") == "80");
  CHECK(read("tcp src port 80") == "(tcp & 80)");
  CHECK(read("portrange 80-81") == "(80 | 81)");
  CHECK(read("ip proto 6") == "(ip & tcp)");
  CHECK(read("ip proto \\tcp") == "(ip & tcp)");
  CHECK(read("proto 17") == "udp");
  CHECK(read("ether proto 0x0806") == "arp");
  CHECK(read("ether proto \\arp") == "arp");
  CHECK(read("icmp") == "icmp");
  CHECK(read("vlan") == "tag");
  CHECK(read("vlan 5") == "vlan5");
}

TEST_CASE("and, or, not and parentheses combine, and bind as in libpcap") {
  CHECK(read("host 10.0.0.1 and port 80") == "(a & 80)");
  CHECK(read("host 10.0.0.1 && tcp port 80 || udp") == "((a & tcp & 80) | udp)");
  CHECK(read("udp or tcp and port 80") == "((udp | tcp) & 80)");
  CHECK(read("udp or (tcp and port 80)") == "(udp | (tcp & 80))");
  CHECK(read("port 80 or 443") == "(80 | 443)");
  CHECK(read("tcp port 80 or 443") == "((tcp & 80) | (tcp & 443))");
  CHECK(read("host 10.0.0.1 or 10.0.0.2") == "(a | b)");
  CHECK(read("port 80 and (host 10.0.0.1) or 443") == "((80 & a) | 443)");
  CHECK(read("not host 10.0.0.1") == "*");
  CHECK(read("not host 10.0.0.1 and port 80") == "80");
  CHECK(read("!(host 10.0.0.1) && port 80") == "80");
  CHECK(read("host 10.0.0.1 or not port 80") == "*");
}

TEST_CASE("what is not known counts as anything, next to what is known") {
  CHECK(read("host 10.0.0.1 and tcp[tcpflags] & tcp-syn != 0") == "a");
  CHECK(read("(tcp[13] & 2) != 0 and host 10.0.0.1") == "a");
  CHECK(read("((ip[0] & 0xf) > 5) and host 10.0.0.1") == "a");
  CHECK(read("len > 100 and port 80") == "80");
  CHECK(read("greater 100 and port 80") == "80");
  CHECK(read("host 10.0.0.1 and ether host 02:00:00:00:00:01") == "a");
  CHECK(read("ether broadcast and port 80") == "80");
  CHECK(read("ip multicast and port 80") == "80");
  CHECK(read("host example.com and port 80") == "80");
  CHECK(read("port http and host 10.0.0.1") == "a");
  CHECK(read("host 10.0.0.1 or len > 100") == "*");
  CHECK(read("ether proto 0x10 and port 80") == "80");
  CHECK(read("net 0.0.0.1") == "*");
}

TEST_CASE("an expression with something unheard-of says nothing at all") {
  for (const auto expression :
       {"", "mpls and host 10.0.0.1", "host 10.0.0.1 and mpls and host 10.0.0.2", "pppoes 1 and host 10.0.0.1",
        "geneve and host 10.0.0.1", "host 10.0.0.1 and gateway 10.0.0.2", "host (10.0.0.1 or 10.0.0.2)",
        "host 10.0.0.1 and inbound", "host 10.0.0.1 and (port 80", "port 80)", "host 10.0.0.1 port 80", "\"", "host"}) {
    INFO(expression);
    CHECK(read(expression) == "*");
  }
}

TEST_CASE("what stands right of a vlan counts only where that vlan has to hold") {
  CHECK(read("vlan 5 and host 10.0.0.1") == "(vlan5 & a)");
  CHECK(read("host 10.0.0.1 or (vlan and host 10.0.0.1)") == "(a | (tag & a))");
  CHECK(read("vlan 5 and vlan 6 and host 10.0.0.1") == "(vlan5 & vlan6 & a)");
  CHECK(read("vlan 5 or host 10.0.0.1") == "*");
  CHECK(read("(vlan 5 or port 80) and host 10.0.0.1") == "*");
  CHECK(read("not vlan 5 and host 10.0.0.1") == "*");
  CHECK(read("vlan 5 and (host 10.0.0.1 or port 80)") == "(vlan5 & (a | 80))");
  CHECK(read("vlan 5 or vlan 6") == "*");
  CHECK(read("vlan 5 and vlan 6 or vlan 5") == "*");
}

TEST_CASE("an expression nested without end is given up, not followed") {
  CHECK(read(std::string(100'000, '(')) == "*");
  std::string nots;
  for (int i = 0; i < 100'000; ++i) nots += "not ";
  CHECK(read(nots + "host 10.0.0.1") == "*");
}

TEST_CASE("conditions are and, or and anything of keys") {
  std::vector<std::byte> frame(34);  // IPv4, from 0.0.0.1 to 0.0.0.2
  frame[12] = std::byte{0x08};
  frame[14] = std::byte{0x45};
  frame[29] = std::byte{1};
  frame[33] = std::byte{2};
  KeyCollector collector;
  collector.add(frame);
  std::vector<std::byte> bytes;
  collector.take(bytes);
  const auto one = FlowCondition::has(ipv4_key(1, 32)), nine = FlowCondition::has(ipv4_key(9, 32));
  const KeySet filter(bytes);
  CHECK(filter.may_match(one));
  CHECK_FALSE(filter.may_match(nine));
  CHECK(filter.may_match(FlowCondition::any(one, nine)));
  CHECK_FALSE(filter.may_match(FlowCondition::all(one, nine)));
  CHECK(filter.may_match(FlowCondition::any(nine, FlowCondition::anything())));
  CHECK_FALSE(filter.may_match(FlowCondition::all(nine, FlowCondition::anything())));
}

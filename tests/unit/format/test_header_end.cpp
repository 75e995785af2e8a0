// SPDX-License-Identifier: BSD-3-Clause
#include "format/header_end.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"
#include "support/trace.hpp"

using namespace wirespool;
using namespace wirespool::format;
using namespace wirespool::test;

namespace {

using Bytes = std::vector<std::byte>;

Bytes hex(const std::string& text) {
  Bytes bytes;
  std::istringstream in(text);
  for (std::string word; in >> word;)
    for (std::size_t i = 0; i < word.size(); i += 2)
      bytes.push_back(static_cast<std::byte>(std::stoul(word.substr(i, 2), nullptr, 16)));
  return bytes;
}

Bytes operator+(Bytes front, const Bytes& back) {
  front.insert(front.end(), back.begin(), back.end());
  return front;
}

Bytes number(std::uint64_t value, unsigned bytes) {
  Bytes all;
  for (unsigned i = bytes; i-- > 0;) all.push_back(static_cast<std::byte>(value >> 8 * i));
  return all;
}
Bytes u8(unsigned value) { return number(value, 1); }
Bytes u16(std::uint64_t value) { return number(value, 2); }

// A frame made from its end to its begin, and where its headers end, counted from its end.
struct Stack {
  Bytes bytes;
  std::size_t from_l2, from_l3, from_l4;  // of the outer L2, the innermost L3 and L4

  std::uint32_t end(Layer layer) const {
    const auto behind = layer == Layer::l2 ? from_l2 : layer == Layer::l3 ? from_l3 : from_l4;
    return static_cast<std::uint32_t>(bytes.size() - behind);
  }
};

Bytes ethernet(unsigned type) { return hex("020000000001 020000000002") + u16(type); }

Bytes ipv4(unsigned protocol, std::size_t payload, unsigned option_words = 0) {
  const auto words = 5 + option_words;
  return u8(0x40 + words) + u8(0) + u16(4 * words + payload) + hex("0001 4000 40") + u8(protocol) +
         hex("0000 0a000001 0a000002") + Bytes(4 * option_words, std::byte{1});
}

Bytes ipv6(unsigned next, std::size_t payload) {
  return hex("60000000") + u16(payload) + u8(next) + hex("40") + hex("20010db8000000000000000000000001") +
         hex("20010db8000000000000000000000002");
}

Bytes udp(unsigned to, std::size_t payload) { return u16(40'000) + u16(to) + u16(8 + payload) + u16(0); }

// An IP header in front of `inner`, whose protocol is `protocol`; any version, with options or extension headers.
Bytes random_ip(Random& random, unsigned protocol, std::size_t payload, unsigned& type) {
  if (random.below(2)) {
    type = 0x0800;
    return ipv4(protocol, payload, static_cast<unsigned>(random.below(3) * random.below(4)));
  }
  type = 0x86dd;
  Bytes extensions;
  unsigned next = protocol;
  for (auto left = random.below(3); left > 0; --left) {
    const unsigned eights = static_cast<unsigned>(random.below(3));
    extensions = u8(next) + u8(eights) + u8(1) + u8(4 + 8 * eights) + Bytes(4 + 8 * eights) + extensions;  // PadN
    next = 60;
  }
  return ipv6(next, extensions.size() + payload) + extensions;
}

Bytes random_l4(Random& random, unsigned& protocol) {
  switch (random.below(4)) {
    case 0:
      protocol = 17;
      return udp(9999, 50);
    case 1: {
      protocol = 6;
      const auto words = 5 + static_cast<unsigned>(random.below(6));
      return u16(40'000) + u16(9998) + hex("00000001 00000000") + u8(words << 4) + hex("10 2000 0000 0000") +
             Bytes(4 * (words - 5), std::byte{1});
    }
    default:
      protocol = 132;
      return u16(40'000) + u16(9997) + hex("00000000 00000000");
  }
}

// Tags and labels in front of an IP packet, Ethernet in front of these.
Bytes random_l2(Random& random, unsigned type) {
  Bytes behind;
  if (random.below(4) == 0) {
    behind = hex("0006413f");
    if (random.below(2)) behind = hex("0006403f") + behind;
    type = 0x8847;
  }
  for (auto tags = random.below(3); tags > 0; --tags) {
    behind = u16(random.below(4096)) + u16(type) + behind;
    type = tags > 1 ? 0x8100 : 0x88a8;
  }
  return ethernet(type) + behind;
}

// What is put in front of `inner` so that it is tunnelled over IP; the protocol that carries it.
Bytes random_tunnel(Random& random, const Stack& inner, bool begins_with_ethernet, unsigned type, unsigned& protocol) {
  const auto bytes = inner.bytes.size();
  const auto over_udp = [&](unsigned port, const Bytes& header) {
    protocol = 17;
    return udp(port, header.size() + bytes) + header;
  };
  if (begins_with_ethernet) {
    switch (random.below(3)) {
      case 0:
        return over_udp(4789, hex("08000000 00000100"));
      case 1:
        return over_udp(6081, hex("02006558 00000100") + hex("0102 00 01 00000000"));
      default:
        protocol = 47;
        return hex("2000 6558 00000001");
    }
  }
  switch (random.below(3)) {
    case 0:
      return over_udp(2152, hex("34ff") + u16(bytes + 8) + hex("00000001 0000 00 85 01 00 00 00"));
    case 1:
      protocol = 47;
      return hex("b000") + u16(type) + hex("00000000 00000001 00000001");
    default:
      protocol = type == 0x0800 ? 4 : 41;
      return {};
  }
}

Stack random_stack(Random& random) {
  unsigned protocol = 0, type = 0;
  Stack stack{random_l4(random, protocol) + Bytes(50, std::byte{0xee}), 0, 0, 50};
  stack.from_l3 = stack.bytes.size();
  stack.bytes = random_ip(random, protocol, stack.bytes.size(), type) + stack.bytes;
  stack.from_l2 = stack.bytes.size();
  for (auto tunnels = random.below(3); tunnels > 0; --tunnels) {
    const bool with_ethernet = random.below(2) != 0;
    if (with_ethernet) stack.bytes = ethernet(type) + stack.bytes;
    const auto tunnel = random_tunnel(random, stack, with_ethernet, type, protocol);
    stack.bytes = tunnel + stack.bytes;
    stack.bytes = random_ip(random, protocol, stack.bytes.size(), type) + stack.bytes;
    stack.from_l2 = stack.bytes.size();
  }
  stack.bytes = random_l2(random, type) + stack.bytes;
  return stack;
}

std::vector<Stack> random_stacks(Random& random, std::size_t count) {
  std::vector<Stack> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(random_stack(random));
  return all;
}

// Of one packet of tshark's PDML.
struct Dissected {
  std::uint32_t l2 = 0, l3 = 0, l4 = 0;
};

// The first IP header begins where L2 ends; the last header of L4 where L3 ends.
std::vector<Dissected> ask_tshark(const std::filesystem::path& file) {
  const auto asked = run_process({"tshark", "-n", "-r", file, "-T", "pdml"});
  REQUIRE(asked.ok());
  static const std::regex proto(R"re(<proto name="(\w+)".* size="(\d+)" pos="(\d+)")re");
  std::vector<Dissected> all;
  std::istringstream lines(asked.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("<packet>") != line.npos) all.emplace_back();
    std::smatch found;
    if (!std::regex_search(line, found, proto)) continue;
    const std::string name = found[1];
    const auto size = static_cast<std::uint32_t>(std::stoul(found[2]));
    const auto at = static_cast<std::uint32_t>(std::stoul(found[3]));
    if ((name == "ip" || name == "ipv6") && all.back().l2 == 0) all.back().l2 = at;
    if (name != "tcp" && name != "udp" && name != "sctp") continue;
    all.back().l3 = at;
    all.back().l4 = at + (name == "sctp" ? 12 : size);
  }
  return all;
}

std::uint32_t end_of(const std::string& frame, Layer layer) { return header_end(hex(frame), layer); }

const std::string mac = "020000000001 020000000002 ";
const std::string ip20 = "45000040 00010000 40";  // the protocol follows, then 10 bytes
const std::string behind_protocol = " 0000 0a000001 0a000002 ";

}  // namespace

TEST_CASE("the headers of random stacks end where they were put together") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const auto stack = random_stack(random);
    for (const auto layer : {Layer::l2, Layer::l3, Layer::l4})
      REQUIRE(header_end(stack.bytes, layer) == stack.end(layer));
  }
}

TEST_CASE("the headers of random stacks end where tshark says they do") {
  if (!have_program("tshark")) {
    WARN("tshark is not installed");
    return;
  }
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  const TempDir directory;
  const auto stacks = random_stacks(random, 500);
  Trace trace;
  for (const auto& stack : stacks)
    trace.append({1'767'225'600'000'000'000 + trace.size()}, stack.bytes,
                 static_cast<std::uint32_t>(stack.bytes.size()));
  write_pcap(trace, directory / "stacks.pcap");
  const auto dissected = ask_tshark(directory / "stacks.pcap");
  REQUIRE(dissected.size() == stacks.size());
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    INFO("packet " << i + 1);
    CHECK(header_end(stacks[i].bytes, Layer::l2) == dissected[i].l2);
    CHECK(header_end(stacks[i].bytes, Layer::l3) == dissected[i].l3);
    CHECK(header_end(stacks[i].bytes, Layer::l4) == dissected[i].l4);
  }
}

// In memory of just its size, so that whoever watches memory sees a read behind it.
TEST_CASE("damaged and cut frames end within themselves") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  Random random(seed);
  for (int i = 0; i < 20'000; ++i) {
    auto bytes = random_stack(random).bytes;
    for (auto flips = random.below(6); flips > 0; --flips)
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.next());
    const auto length = random.below(bytes.size() + 1);
    const auto exact = std::make_unique<std::byte[]>(length);
    std::copy_n(bytes.data(), length, exact.get());
    std::uint32_t before = 0;
    for (const auto layer : {Layer::l2, Layer::l3, Layer::l4}) {
      const auto end = header_end({exact.get(), length}, layer);
      REQUIRE(end <= length);
      REQUIRE(end >= before);  // a higher layer keeps no less
      before = end;
    }
  }
}

TEST_CASE("where there is no such layer the last header that is known ends the slice") {
  CHECK(end_of(mac + "88b5 0102030405060708", Layer::l4) == 14);  // an experimental EtherType
  CHECK(end_of(mac + "8100 0001 88b5 01020304", Layer::l4) == 18);
  CHECK(end_of(mac + "0030 42420300000000", Layer::l3) == 14);                                     // 802.3 with LLC
  CHECK(end_of(mac + "0800 " + ip20 + "59" + behind_protocol + "0201002c", Layer::l4) == 34);      // OSPF
  CHECK(end_of(mac + "0806 0001080006040001 " + std::string(56, '0'), Layer::l4) == 14 + 28);      // ARP
  CHECK(end_of(mac + "8847 00064140 00000000 " + mac + "88b5 00", Layer::l2) == 14 + 8 + 14);      // Ethernet in MPLS
  CHECK(end_of(mac + "8864 1100000100160021 " + ip20 + "01" + behind_protocol, Layer::l2) == 22);  // PPPoE
}

TEST_CASE("what should be a header and cannot be one is payload") {
  const auto udp_to = [](const std::string& port, const std::string& payload) {
    return mac + "0800 " + ip20 + "11" + behind_protocol + "9c40 " + port + " 0030 0000 " + payload;
  };
  CHECK(end_of(udp_to("12b5", "00000000 00000100 " + mac + "0800"), Layer::l4) == 42);  // VXLAN without its I bit
  CHECK(end_of(udp_to("12b5", "08000000"), Layer::l4) == 42);                           // or only half of it
  CHECK(end_of(udp_to("17c1", "3f006558 00000100"), Layer::l4) == 42);           // Geneve, options behind the end
  CHECK(end_of(udp_to("0868", "32010004 00000000 00000000"), Layer::l4) == 42);  // GTP-U, an echo request
  CHECK(end_of(mac + "0800 44" + ip20.substr(2) + "06" + behind_protocol, Layer::l4) == 14);  // 4 words of IPv4
  CHECK(end_of(mac + "0800 55" + ip20.substr(2) + "06" + behind_protocol, Layer::l4) == 14);  // version 5
  CHECK(end_of(mac + "0800 " + ip20 + "06" + behind_protocol + "0050005000000000000000004000000000000000",
               Layer::l4) == 34);  // 4 words of TCP
}

TEST_CASE("a fragment behind the first has no header of L4") {
  const std::string later = "45000040 00010010 4011" + behind_protocol,
                    first = "45000040 00012000 4011" + behind_protocol;
  CHECK(end_of(mac + "0800 " + later + "0050005000100000ee", Layer::l4) == 34);
  CHECK(end_of(mac + "0800 " + first + "0050005000100000ee", Layer::l4) == 42);
}

TEST_CASE("a header that the frame's end cuts ends there") {
  CHECK(end_of("0200", Layer::l2) == 2);
  CHECK(header_end({}, Layer::l4) == 0);
  CHECK(end_of(mac + "0800 45000040 0001", Layer::l3) == 20);
  CHECK(end_of(mac + "0800 45000040 0001", Layer::l2) == 14);
  CHECK(end_of(mac + "0800 " + ip20 + "06" + behind_protocol + "00500050", Layer::l4) == 38);
  CHECK(end_of(mac + "0800 " + ip20 + "06" + behind_protocol + "00500050", Layer::l3) == 34);
}

TEST_CASE("a frame of nothing but tags is not looked through to its end") {
  std::string tags = mac;
  for (int i = 0; i < 1000; ++i) tags += "8100 0001 ";
  CHECK(end_of(tags + "0800", Layer::l4) == 14 + 31 * 4);
}

TEST_CASE("a slice is said as a layer or as bytes, and nothing else is one") {
  CHECK(slice_of("l2") == Slice{.layer = Layer::l2});
  CHECK(slice_of("l4") == Slice{.layer = Layer::l4});
  CHECK(slice_of("96") == Slice{.layer = {}, .bytes = 96});
  for (const auto* text : {"", "l5", "L4", "0", "-1", "96 ", "96B", "262145", "99999999999"}) {
    CAPTURE(text);
    CHECK(!slice_of(text));
  }
}

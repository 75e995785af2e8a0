// SPDX-License-Identifier: BSD-3-Clause
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstring>

#include "support/catch.hpp"
#include "vf/link.hpp"

using namespace wirespool::vf;

namespace {

// A request read as if it were the kernel's answer: both carry the settings in the same way.
std::vector<VfLink> read_back(const std::string& name, const std::string& value) {
  auto request = vf_request(7, 3, name, value);
  if (!request) return {};
  const std::uint16_t type = RTM_NEWLINK;
  std::memcpy(request->data() + offsetof(nlmsghdr, nlmsg_type), &type, sizeof type);
  return parse_vf_links(*request);
}

}  // namespace

TEST_CASE("each setting goes into the message as it comes out of one") {
  const auto mac = read_back("mac", "52:54:00:ab:cd:ef");
  REQUIRE(mac.size() == 1);
  CHECK(mac[0].number == 3);
  CHECK(mac[0].mac == "52:54:00:ab:cd:ef");
  CHECK(read_back("vlan", "100").at(0).vlan == 100);
  CHECK(read_back("trust", "on").at(0).trusted == true);
  CHECK(read_back("trust", "off").at(0).trusted == false);
  CHECK(read_back("spoofchk", "off").at(0).spoof_check == false);
  CHECK(read_back("state", "disable").at(0).link_state == "disable");
}

TEST_CASE("a value that is none is refused") {
  CHECK_FALSE(vf_request(7, 0, "mac", "52:54:00"));
  CHECK_FALSE(vf_request(7, 0, "mac", "52:54:00:ab:cd:ef:01"));
  CHECK_FALSE(vf_request(7, 0, "vlan", "5000"));
  CHECK_FALSE(vf_request(7, 0, "trust", "yes"));
  CHECK_FALSE(vf_request(7, 0, "state", "up"));
  CHECK_FALSE(vf_request(7, 0, "colour", "on"));
}

TEST_CASE("the message is laid out as rtnetlink wants it") {
  const auto request = vf_request(7, 3, "trust", "on");
  REQUIRE(request);
  nlmsghdr header{};
  std::memcpy(&header, request->data(), sizeof header);
  CHECK(header.nlmsg_len == request->size());
  CHECK(header.nlmsg_type == RTM_SETLINK);
  CHECK(header.nlmsg_flags == (NLM_F_REQUEST | NLM_F_ACK));
  CHECK(request->size() == NLMSG_HDRLEN + sizeof(ifinfomsg) + 2 * sizeof(rtattr) + sizeof(rtattr) + 8);
}

TEST_CASE("a message cut anywhere is read without harm") {
  auto request = vf_request(7, 3, "mac", "52:54:00:ab:cd:ef");
  const std::uint16_t type = RTM_NEWLINK;
  std::memcpy(request->data() + offsetof(nlmsghdr, nlmsg_type), &type, sizeof type);
  for (std::size_t length = 0; length < request->size(); ++length) {
    auto cut = Bytes(request->begin(), request->begin() + static_cast<std::ptrdiff_t>(length));
    CHECK(parse_vf_links(cut).empty());
    if (length < sizeof(nlmsghdr)) continue;
    const auto claimed = static_cast<std::uint32_t>(length);
    std::memcpy(cut.data(), &claimed, sizeof claimed);
    parse_vf_links(cut);
  }
}

TEST_CASE("the kernel is asked about an interface without VFs, and about none") {
  const auto links = read_vf_links("lo");
  REQUIRE(links);
  CHECK(links->empty());
  CHECK_FALSE(read_vf_links("wirespool-none"));
}

TEST_CASE("setting a VF of an interface that has none is refused by the kernel") {
  const auto set = set_vf_link("lo", 0, "trust", "on");
  REQUIRE_FALSE(set);
  CHECK(set.error().what == "lo vf 0 trust on");
}

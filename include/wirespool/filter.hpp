// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "wirespool/error.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool {

namespace filter {
struct Compiled;
}

// Which packets: those of a pcap-filter(7) expression, of one flow, or of a Community ID, joined as one likes. It holds
// both what says exactly whether a packet matches, and what it asks of a flow index, which says what need not be read
// at all: both are made here of the one text, so that they cannot disagree. A copy is a Filter of its own; one is used
// by one thread at a time.
class Filter {
 public:
  // An expression, for packets of Ethernet. Host names in it are looked up now, as tcpdump does. The Error has
  // libpcap's words, and is one as well where wirespool was built without libpcap.
  static std::expected<Filter, Error> compile(std::string expression);
  // For packets of these link types (LINKTYPE_ numbers of tcpdump.org); the Error is that of the first which cannot
  // have such an expression, as "vlan" cannot be asked of raw IP.
  static std::expected<Filter, Error> compile(std::string expression, std::span<const std::uint32_t> linktypes);

  // The packets of TCP, UDP or SCTP from one address and port to another, "10.0.0.1:443 > [2001:db8::2]:51000" (both
  // are of one family), or both ways, "A:PORT <> B:PORT"; after any VLAN tags and IPv6 extension headers. Later
  // fragments name no ports and are none of them. The Error says what is accepted.
  static std::expected<Filter, Error> flow(std::string_view text);

  // The packets of both directions of the flow that Zeek, Suricata, Wireshark and others call so: Community ID version
  // 1, seed 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=". No index knows such names: it leaves nothing out.
  static std::expected<Filter, Error> community_id(std::string_view text);

  static Filter all(Filter a, Filter b);  // what both match
  static Filter any(Filter a, Filter b);  // what either matches

  // What matches itself, or carries a packet that does, eight layers deep at most: in GRE, VXLAN, Geneve, GTP-U, MPLS,
  // PPPoE and IP in IP. A carried IP packet is asked as if the headers of the tunnel had been cut out of its Ethernet
  // frame. An index leaves out what has neither the keys of such a packet nor any of a tunnel.
  Filter inside_too() const;

  Filter(const Filter& other);
  Filter(Filter&&) noexcept;
  Filter& operator=(const Filter& other);
  Filter& operator=(Filter&&) noexcept;
  ~Filter();

  const std::string& expression() const&;            // as it was given; of several, joined by "and", "or"
  const std::string& expression() const&& = delete;  // it would be gone with the Filter

  // Whether packets of this link type can be asked, whatever it was compiled for; else libpcap's words.
  std::expected<void, Error> supports(std::uint32_t linktype);

  // Never of a packet whose link type it does not support.
  bool matches(const StoredPacket& packet);

  const filter::Compiled& compiled() const { return *compiled_; }  // for wirespool's own rooms

 private:
  explicit Filter(filter::Compiled compiled);
  std::unique_ptr<filter::Compiled> compiled_;
};

}  // namespace wirespool

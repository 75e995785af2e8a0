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

// Selects packets: by a pcap-filter(7) expression, a flow, a Community ID, or any combination of these. It holds an
// exact match for packets and a condition for flow indices, by which files and Blocks without a match are left unread.
// Both are made here from the same text, so that they cannot disagree. A copy is a Filter of its own; each is used by
// one thread at a time.
class Filter {
 public:
  // An expression, for packets of Ethernet. Host names in it are looked up now, as tcpdump does. The Error has
  // libpcap's words; where wirespool was built without libpcap, the Error says so.
  static std::expected<Filter, Error> compile(std::string expression);
  // For packets of these link types (LINKTYPE_ numbers of tcpdump.org); the Error is about the first type that cannot
  // have such an expression: raw IP, for example, has no "vlan".
  static std::expected<Filter, Error> compile(std::string expression, std::span<const std::uint32_t> linktypes);

  // The packets of TCP, UDP or SCTP from one address and port to another, "10.0.0.1:443 > [2001:db8::2]:51000" (both of
  // one family), or both ways, "A:PORT <> B:PORT"; after any VLAN tags and IPv6 extension headers. Later fragments name
  // no ports and do not match. The Error says what is accepted.
  static std::expected<Filter, Error> flow(std::string_view text);

  // The packets, in both directions, of the flow that Zeek, Suricata, Wireshark and others give this Community ID
  // (version 1, seed 0): "1:LQU9qZlK+B5F3KDmev6m5PMibrg=". No index knows Community IDs, so none leaves anything out.
  static std::expected<Filter, Error> community_id(std::string_view text);

  // The packets of this time, `to` not included: for times that are joined by any(); the others are a Query's.
  static Filter between(Timestamp from, Timestamp to);

  static Filter all(Filter a, Filter b);  // what both match
  static Filter any(Filter a, Filter b);  // what either matches

  // Packets that match, or that carry one that does, at most eight layers deep: in GRE, VXLAN, Geneve, GTP-U, MPLS,
  // PPPoE and IP in IP. A carried IP packet is matched as if the tunnel's headers had been cut out of its Ethernet
  // frame. By an index, Blocks are left out that have neither the keys of such a packet nor any of a tunnel.
  Filter inside_too() const;

  Filter(const Filter& other);
  Filter(Filter&&) noexcept;
  Filter& operator=(const Filter& other);
  Filter& operator=(Filter&&) noexcept;
  ~Filter();

  const std::string& expression() const&;            // as it was given; several are joined by "and", "or"
  const std::string& expression() const&& = delete;  // it would dangle

  // Whether packets of this link type can be matched, whatever it was compiled for; else libpcap's words.
  std::expected<void, Error> supports(std::uint32_t linktype);

  // Always false for a packet whose link type it does not support.
  bool matches(const StoredPacket& packet);

  const filter::Compiled& compiled() const { return *compiled_; }  // for wirespool's own code

 private:
  explicit Filter(filter::Compiled compiled);
  std::unique_ptr<filter::Compiled> compiled_;
};

}  // namespace wirespool

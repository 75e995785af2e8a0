// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "format/flow_condition.hpp"

namespace wirespool::filter {

using format::FlowCondition;

// Derives from a valid pcap-filter(7) expression what a Block must have: host, net, port, portrange, proto, the
// protocols by name and vlan, joined by and, or, not and parentheses. Anything else in it counts as "anything", and so
// does the whole of an expression that is not understood to its end. The rules that matter:
//
// - "and" and "or" have equal precedence and associate to the left; "not" binds tighter (pcap-filter(7)).
// - "not X" says nothing of a Block: some other packet in it may be the one without X.
// - A bare address or number takes the qualifiers of the primitive before it ("port 80 or 443"), but not from inside
//   parentheses.
// - "vlan" shifts everything to its right in the text by one tag, however the two are joined (pcap-filter(7), "vlan").
//   A primitive to its right is therefore used only if a packet must match every "vlan" to its left as well; otherwise
//   it may match bytes that are no address at all.
// - "mpls", "pppoes" and "geneve" shift it too, further than the keys follow: an expression with one of them says
// nothing.
class FilterReader {
 public:
  explicit FilterReader(std::string_view expression);
  FlowCondition read();

 private:
  // `tags`: how many VLAN tags a packet that matches is known to have.
  struct Result {
    FlowCondition condition;
    unsigned tags = 0;
  };
  struct Qualifiers {
    std::string_view protocol;  // "ip", "tcp", ... or none
    std::string_view type;      // "host", "net", "port", "portrange", "proto", or none
  };

  std::string_view peek(std::size_t ahead = 0) const;
  std::string_view take();
  bool take_if(std::string_view token);
  Result give_up();

  Result expression(unsigned tags);
  Result term(unsigned tags);
  Result primitive(unsigned tags);
  Result vlan(unsigned tags);
  Result comparison(unsigned tags);
  Result usable(FlowCondition condition, unsigned tags) const;

  bool begins_comparison() const;
  void take_direction();
  FlowCondition qualified(Qualifiers qualifiers);
  FlowCondition identified(Qualifiers qualifiers, std::string_view id);
  FlowCondition net(std::string_view id);

  std::vector<std::string_view> tokens_;
  std::size_t next_ = 0;
  unsigned depth_ = 0;
  unsigned vlans_ = 0;  // "vlan"s read so far
  Qualifiers last_;
  bool given_up_ = false;
};

// The words and signs of a pcap-filter(7) expression, as views into it. "&&", "||" and "!" come out as "and", "or" and
// "not"; a word may hold letters, digits and any of . : / - _ and a backslash in front. Empty if any other character
// occurs.
std::vector<std::string_view> filter_tokens(std::string_view expression);

bool is_filter_operator(std::string_view token);  // arithmetic or comparison

}  // namespace wirespool::filter

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "format/flow_condition.hpp"
#include "wirespool/error.hpp"
#include "wirespool/packet.hpp"

namespace wirespool::filter {

// Decides exactly whether a packet matches. Used by one thread at a time: it may cache results.
class Matcher {
 public:
  virtual ~Matcher() = default;
  virtual std::unique_ptr<Matcher> copy() const = 0;

  // Whether packets of this link type (LINKTYPE_ of tcpdump.org) can be matched; else why not.
  virtual std::expected<void, Error> supports(std::uint32_t linktype) = 0;
  virtual bool matches(const PacketView& packet, std::uint32_t linktype) = 0;  // only for types it supports
};

// What a Filter holds.
struct Compiled {
  std::string expression;           // as it was given
  format::FlowCondition condition;  // which keys a Block must have for any of its packets to match
  std::unique_ptr<Matcher> matcher;

  Compiled copy() const { return {expression, condition, matcher->copy()}; }
};

// The Error, saying that it is about packets of this link type.
Error of_linktype(Error error, std::uint32_t linktype);

// The parts of Filters. pcap-filter(7), by libpcap:
Compiled expression(std::string text);
// "10.0.0.1:443 > 10.0.0.2:51000":
std::expected<Compiled, Error> flow(std::string_view text);
// "1:LQU9qZlK+B5F3KDmev6m5PMibrg=":
std::expected<Compiled, Error> community_id(std::string_view text);
// Of a time, "to" not included:
Compiled between(Timestamp from, Timestamp to);
// What both match, what either matches, and what matches or carries something that does:
Compiled all(Compiled a, Compiled b);
Compiled any(Compiled a, Compiled b);
Compiled inside_too(Compiled outside);

}  // namespace wirespool::filter

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "wirespool/error.hpp"
#include "wirespool/spool_file.hpp"

namespace wirespool {

namespace filter {
struct Compiled;
}

// A pcap-filter(7) expression. It holds both what libpcap makes of it, which says exactly whether a packet matches, and
// what it asks of a flow index, which says what need not be read at all: both are made here of the one text, so that
// they cannot disagree. A copy is a Filter of its own; one is used by one thread at a time. Host names in an expression
// are looked up when it is compiled, as tcpdump does.
class Filter {
 public:
  // For packets of Ethernet. The Error has libpcap's words, and is one as well where wirespool was built without
  // libpcap.
  static std::expected<Filter, Error> compile(std::string expression);
  // For packets of these link types (LINKTYPE_ numbers of tcpdump.org); the Error is that of the first which cannot
  // have such an expression, as "vlan" cannot be asked of raw IP.
  static std::expected<Filter, Error> compile(std::string expression, std::span<const std::uint32_t> linktypes);

  Filter(const Filter& other);
  Filter(Filter&&) noexcept;
  Filter& operator=(const Filter& other);
  Filter& operator=(Filter&&) noexcept;
  ~Filter();

  const std::string& expression() const&;
  const std::string& expression() const&& = delete;  // it would be gone with the Filter

  // Whether packets of this link type can be asked, whatever it was compiled for; else libpcap's words.
  std::expected<void, Error> supports(std::uint32_t linktype);

  // Never of a packet whose link type it does not support.
  bool matches(const StoredPacket& packet);

  const filter::Compiled& compiled() const { return *compiled_; }  // for wirespool's own rooms

 private:
  explicit Filter(std::unique_ptr<filter::Compiled> compiled);
  std::unique_ptr<filter::Compiled> compiled_;
};

}  // namespace wirespool

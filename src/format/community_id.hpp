// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "format/tunnels.hpp"

namespace wirespool::format {

// FIPS 180-4. Used only to name flows: SHA-1 no longer protects anything.
using Sha1 = std::array<std::byte, 20>;
Sha1 sha1(std::span<const std::byte> message) noexcept;

// What a flow is called in the logs of Zeek, Suricata, Wireshark and others, the same for both directions: version 1 of
// github.com/corelight/community-id-spec, with seed 0.
struct CommunityId {
  Sha1 hash{};

  // "1:" and the 28 characters of Base64 (RFC 4648) of a hash; nullopt for anything else.
  static std::optional<CommunityId> parse(std::string_view text);
  std::string text() const;

  bool operator==(const CommunityId&) const = default;
};

// nullopt: a packet of TCP, UDP, SCTP or ICMP without its ports or type, such as a later fragment.
std::optional<CommunityId> community_id(const FlowEnds& ends) noexcept;

}  // namespace wirespool::format

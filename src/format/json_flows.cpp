// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "format/address_text.hpp"
#include "format/bytes.hpp"
#include "format/community_id.hpp"
#include "format/flow_encoder.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::format {
namespace {

std::string_view word(FlowEnd end) {
  switch (end) {
    case FlowEnd::idle:
      return "idle";
    case FlowEnd::active:
      return "active";
    case FlowEnd::fin:
      return "fin";
    case FlowEnd::full:
      return "full";
    case FlowEnd::stop:
      break;
  }
  return "stop";
}

std::string vlan_list(const FlowRecord& record) {
  std::string text;
  for (const auto id : record.vlan)
    if (id != Layers::no_vlan) text += fmt::format("{}{}", text.empty() ? "" : ",", id);
  return text;
}

Ipv6Address ipv6_of(const std::array<std::byte, 16>& address) {
  return {swap_bytes(load<std::uint64_t>(address)), swap_bytes(load<std::uint64_t>(address, 8))};
}

// null where there is none: of a fragment without ports.
std::string community_id_of(const FlowRecord& record) {
  FlowEnds ends{.ports = record.ports,
                .protocol = record.protocol,
                .is_ipv6 = record.version == 6,
                .has_ports = record.has_ports};
  for (std::size_t end = 0; end < 2; ++end) {
    ends.addresses[end] = ipv6_of(record.addresses[end]);
    if (record.version == 4) ends.addresses[end] = {0, ends.addresses[end].high >> 32};
  }
  const auto id = community_id(ends);
  return id ? fmt::format("\"{}\"", id->text()) : "null";
}

class JsonFlows final : public FlowEncoder {
 public:
  void add(const FlowRecord& record, std::string& out) override {
    const auto& r = record;
    fmt::format_to(
        std::back_inserter(out),
        R"({{"first":"{}","last":"{}","src_ip":"{}","dst_ip":"{}","src_port":{},"dst_port":{},"proto":{},"vlan":[{}],)"
        R"("packets":{},"bytes":{},"packets_rev":{},"bytes_rev":{},"tcp_flags":{},"tcp_flags_rev":{},"end":"{}",)"
        R"("port":{},"community_id":{}}})"
        "\n",
        rfc3339(r.first), rfc3339(r.last), address_text(r.addresses[0], r.version),
        address_text(r.addresses[1], r.version), r.ports[0], r.ports[1], r.protocol, vlan_list(r), r.packets[0],
        r.bytes[0], r.packets[1], r.bytes[1], r.tcp_flags[0], r.tcp_flags[1], word(r.end), r.port, community_id_of(r));
  }
  void flush(std::string&) override {}
};

}  // namespace

std::unique_ptr<FlowEncoder> make_json_flows() { return std::make_unique<JsonFlows>(); }

}  // namespace wirespool::format

// SPDX-License-Identifier: BSD-3-Clause
#include "tools/packet_filter.hpp"

#include <pcap/pcap.h>

#include "format/pcap.hpp"

namespace wirespool::tools {
namespace {

using Pcap = std::unique_ptr<pcap_t, decltype(&pcap_close)>;

// pcap-linktype(7): the few LINKTYPE_ values of files that differ from libpcap's own DLT_ values.
int dlt_of(std::uint32_t linktype) {
  constexpr std::uint32_t linktype_atm_rfc1483 = 100, linktype_raw = 101, linktype_ppp_hdlc = 50;
  switch (linktype) {
    case linktype_atm_rfc1483:
      return DLT_ATM_RFC1483;
    case linktype_raw:
      return DLT_RAW;
    case linktype_ppp_hdlc:
      return DLT_PPP_SERIAL;
    default:
      return static_cast<int>(linktype);
  }
}

struct Compiled {
  std::shared_ptr<bpf_program> program;
  std::string error;
};

Compiled compile_for(const std::string& expression, std::uint32_t linktype) {
  const Pcap pcap(
      pcap_open_dead_with_tstamp_precision(dlt_of(linktype), format::max_snaplen, PCAP_TSTAMP_PRECISION_NANO),
      pcap_close);
  if (!pcap) return {nullptr, "out of memory"};
  bpf_program program{};
  if (pcap_compile(pcap.get(), &program, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    return {nullptr, pcap_geterr(pcap.get())};
  }
  return {std::shared_ptr<bpf_program>(new bpf_program(program),
                                       [](bpf_program* owned) {
                                         pcap_freecode(owned);
                                         delete owned;
                                       }),
          ""};
}

}  // namespace

std::expected<PacketFilter, std::string> PacketFilter::compile(const std::string& expression) {
  auto compiled = compile_for(expression, format::linktype_ethernet);
  if (!compiled.program) return std::unexpected(compiled.error);
  PacketFilter filter(expression);
  filter.programs_[format::linktype_ethernet] = compiled.program;
  filter.last_linktype_ = format::linktype_ethernet;
  filter.last_ = compiled.program;
  return filter;
}

const PacketFilter::Program& PacketFilter::program_for(std::uint32_t linktype) {
  if (linktype != last_linktype_) {
    const auto known = programs_.find(linktype);
    last_ = known != programs_.end() ? known->second : programs_[linktype] = compile_for(expression_, linktype).program;
    last_linktype_ = linktype;
  }
  return last_;
}

bool PacketFilter::matches(const StoredPacket& packet) {
  const auto& program = program_for(packet.linktype);
  if (!program) return false;
  pcap_pkthdr header{};
  header.caplen = packet.view.caplen();
  header.len = packet.view.wirelen;
  return pcap_offline_filter(program.get(), &header, reinterpret_cast<const u_char*>(packet.view.bytes.data())) != 0;
}

}  // namespace wirespool::tools

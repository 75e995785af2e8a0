// SPDX-License-Identifier: BSD-3-Clause
#include "filter/packet_filter.hpp"

#include <pcap/pcap.h>

#include "format/pcap.hpp"

namespace wirespool::filter {
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
  return compile(expression, {format::linktype_ethernet});
}

std::expected<PacketFilter, std::string> PacketFilter::compile(const std::string& expression,
                                                               const std::vector<std::uint32_t>& linktypes) {
  PacketFilter filter(expression);
  for (const auto linktype : linktypes) {
    if (auto error = filter.add(linktype); !error.empty()) return std::unexpected(std::move(error));
  }
  return filter;
}

// Compiles it; the error, or empty.
std::string PacketFilter::add(std::uint32_t linktype) {
  auto compiled = compile_for(expression_, linktype);
  programs_[linktype] = compiled.program;
  if (compiled.program) return {};
  const char* name = pcap_datalink_val_to_name(dlt_of(linktype));
  return (linktype == format::linktype_ethernet
              ? ""
              : "for packets of link type " + (name != nullptr ? std::string(name) : std::to_string(linktype)) + ": ") +
         compiled.error;
}

const PacketFilter::Program& PacketFilter::program_for(std::uint32_t linktype) {
  if (linktype != last_linktype_) {
    if (!programs_.contains(linktype)) {
      if (auto error = add(linktype); !error.empty()) refused_.push_back(std::move(error));
    }
    last_ = programs_[linktype];
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

}  // namespace wirespool::filter

// SPDX-License-Identifier: BSD-3-Clause
#include "filter/program.hpp"

#include <pcap/pcap.h>

#include <utility>

#include "filter/obstacle.hpp"
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

void free_program(bpf_program* program) {
  pcap_freecode(program);
  delete program;
}

}  // namespace

std::expected<Program, Error> Program::compile(const std::string& expression, std::uint32_t linktype) {
  const auto refused = [&expression](std::string why) {
    return std::unexpected(Error{expression, std::move(why), "see pcap-filter(7)"});
  };
  const Pcap pcap(
      pcap_open_dead_with_tstamp_precision(dlt_of(linktype), format::max_snaplen, PCAP_TSTAMP_PRECISION_NANO),
      pcap_close);
  if (!pcap) return refused("out of memory");
  bpf_program program{};
  if (pcap_compile(pcap.get(), &program, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
    return refused(pcap_geterr(pcap.get()));
  return Program({new bpf_program(program), free_program});
}

bool Program::matches(const PacketView& packet) const {
  pcap_pkthdr header{};
  header.caplen = packet.caplen();
  header.len = packet.wirelen;
  return pcap_offline_filter(program_.get(), &header, reinterpret_cast<const u_char*>(packet.bytes.data())) != 0;
}

std::string_view Program::obstacle() const { return obstacle_of(*program_); }

std::string name_of_linktype(std::uint32_t linktype) {
  const char* name = pcap_datalink_val_to_name(dlt_of(linktype));
  return name != nullptr ? name : std::to_string(linktype);
}

}  // namespace wirespool::filter

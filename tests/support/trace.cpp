// SPDX-License-Identifier: BSD-3-Clause
#include "support/trace.hpp"

#include <pcap/pcap.h>

#include <memory>
#include <stdexcept>

namespace wirespool::test {

void Trace::append(Timestamp time, std::span<const std::byte> bytes, std::uint32_t wirelen) {
  entries_.push_back({time, bytes_.size(), static_cast<std::uint32_t>(bytes.size()), wirelen});
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

PacketView Trace::operator[](std::size_t index) const {
  const auto& entry = entries_.at(index);
  return {entry.time, entry.wirelen, std::span(bytes_).subspan(entry.offset, entry.caplen)};
}

namespace {

using Pcap = std::unique_ptr<pcap_t, decltype(&pcap_close)>;
using Dumper = std::unique_ptr<pcap_dumper_t, decltype(&pcap_dump_close)>;

pcap_pkthdr header_of(const PacketView& packet) {
  pcap_pkthdr header{};
  header.ts.tv_sec = packet.time.seconds();
  header.ts.tv_usec = packet.time.nanoseconds();  // nanoseconds in a handle opened with that precision
  header.caplen = packet.caplen();
  header.len = packet.wirelen;
  return header;
}

}  // namespace

void write_pcap(const Trace& trace, const std::filesystem::path& path) {
  const Pcap pcap(pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 262144, PCAP_TSTAMP_PRECISION_NANO), pcap_close);
  const Dumper dumper(pcap_dump_open(pcap.get(), path.c_str()), pcap_dump_close);
  if (!dumper) throw std::runtime_error(path.string() + ": " + pcap_geterr(pcap.get()));
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const auto header = header_of(trace[i]);
    pcap_dump(reinterpret_cast<u_char*>(dumper.get()), &header, reinterpret_cast<const u_char*>(trace[i].bytes.data()));
  }
  if (pcap_dump_flush(dumper.get()) != 0) throw std::runtime_error(path.string() + ": could not be written");
}

Trace read_pcap(const std::filesystem::path& path) {
  char why[PCAP_ERRBUF_SIZE] = "";
  const Pcap pcap(pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, why), pcap_close);
  if (!pcap) throw std::runtime_error(path.string() + ": " + why);
  Trace trace;
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  int result = 0;
  while ((result = pcap_next_ex(pcap.get(), &header, &data)) == 1) {
    const auto ns =
        static_cast<std::uint64_t>(header->ts.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(header->ts.tv_usec);
    trace.append({ns}, std::as_bytes(std::span(data, header->caplen)), header->len);
  }
  if (result != PCAP_ERROR_BREAK) throw std::runtime_error(path.string() + ": " + pcap_geterr(pcap.get()));
  return trace;
}

}  // namespace wirespool::test

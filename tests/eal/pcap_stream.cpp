// SPDX-License-Identifier: BSD-3-Clause
#include "pcap_stream.hpp"

#include <pcap/pcap.h>

#include <algorithm>
#include <stdexcept>

#include "support/spool_files.hpp"

namespace wirespool::test {
namespace {

bool same(const PacketView& sent, const PacketView& found, std::uint32_t snaplen) {
  const auto kept = sent.bytes.first(std::min<std::size_t>(sent.bytes.size(), snaplen));
  return sent.wirelen == found.wirelen && std::ranges::equal(kept, found.bytes);
}

std::string lengths(const PacketView& packet) {
  return "caplen " + std::to_string(packet.caplen()) + " wirelen " + std::to_string(packet.wirelen);
}

std::string nth(std::uint64_t number) { return "packet " + std::to_string(number); }

std::string explain(std::uint64_t number, const PacketView& sent, const PacketView& found) {
  const auto parted = std::ranges::mismatch(sent.bytes, found.bytes);
  return nth(number) + ": expected " + lengths(sent) + ", got " + lengths(found) + ", equal up to byte " +
         std::to_string(parted.in1 - sent.bytes.begin());
}

using Dumper = std::unique_ptr<pcap_dumper_t, decltype(&pcap_dump_close)>;

void append(pcap_dumper_t* dumper, const Trace& trace) {
  for (std::size_t i = 0; i < trace.size(); ++i) {
    pcap_pkthdr header{};
    header.ts.tv_sec = trace[i].time.seconds();
    header.ts.tv_usec = trace[i].time.nanoseconds();
    header.caplen = trace[i].caplen();
    header.len = trace[i].wirelen;
    pcap_dump(reinterpret_cast<u_char*>(dumper), &header, reinterpret_cast<const u_char*>(trace[i].bytes.data()));
  }
}

}  // namespace

PcapStream::PcapStream(const std::filesystem::path& path) : path_(path) {
  char why[PCAP_ERRBUF_SIZE] = "";
  pcap_t* pcap = pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, why);
  if (pcap == nullptr) throw std::runtime_error(path.string() + ": " + why);
  pcap_ = {pcap, [](void* open) { pcap_close(static_cast<pcap_t*>(open)); }};
}

std::optional<PacketView> PcapStream::next() {
  auto* pcap = static_cast<pcap_t*>(pcap_.get());
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  const int result = pcap_next_ex(pcap, &header, &data);
  if (result == PCAP_ERROR_BREAK) return std::nullopt;
  if (result != 1) throw std::runtime_error(path_.string() + ": " + pcap_geterr(pcap));
  const auto ns =
      static_cast<std::uint64_t>(header->ts.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(header->ts.tv_usec);
  return PacketView{{ns}, header->len, std::as_bytes(std::span(data, header->caplen))};
}

SpoolStream::SpoolStream(const std::vector<std::filesystem::path>& directories) {
  for (const auto& path : sealed_files(directories)) {
    PcapStream file(path);
    if (const auto packet = file.next()) heads_.push_back({std::move(file), *packet});
  }
}

std::optional<PacketView> SpoolStream::next() {
  if (taken_) {
    Head& head = heads_[*taken_];
    if (const auto packet = head.file.next())
      head.packet = *packet;
    else
      heads_.erase(heads_.begin() + static_cast<std::ptrdiff_t>(*taken_));
  }
  const auto oldest = std::ranges::min_element(heads_, {}, [](const Head& head) { return head.packet.time; });
  if (oldest == heads_.end()) return taken_.reset(), std::nullopt;
  taken_ = static_cast<std::size_t>(oldest - heads_.begin());
  return oldest->packet;
}

void write_trace(const TraceSpec& spec, const std::filesystem::path& path) {
  constexpr std::uint64_t piece = 10'000;
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> pcap(
      pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 262144, PCAP_TSTAMP_PRECISION_NANO), pcap_close);
  const Dumper dumper(pcap_dump_open(pcap.get(), path.c_str()), pcap_dump_close);
  if (!dumper) throw std::runtime_error(path.string() + ": " + pcap_geterr(pcap.get()));
  for (std::uint64_t done = 0; done < spec.packets; done += piece) {
    auto part = spec;
    part.packets = std::min(piece, spec.packets - done);
    part.first_number = spec.first_number + done;
    part.seed = spec.seed + done / piece;
    append(dumper.get(), make_trace(part));
  }
  if (pcap_dump_flush(dumper.get()) != 0) throw std::runtime_error(path.string() + ": could not be written");
}

std::string compare_spool_in_order(const std::filesystem::path& trace,
                                   const std::vector<std::filesystem::path>& directories, std::uint32_t snaplen) {
  PcapStream sent(trace);
  SpoolStream found(directories);
  Timestamp before;
  for (std::uint64_t number = 0;; ++number) {
    const auto wanted = sent.next();
    const auto got = found.next();
    if (!wanted && !got) return "";
    if (!got) return nth(number) + " and all after it are missing";
    if (!wanted) return nth(number) + " and all after it are too many";
    if (!same(*wanted, *got, snaplen)) return explain(number, *wanted, *got);
    if (got->time <= before) return nth(number) + " is not later than the one before it";
    before = got->time;
  }
}

std::string compare_each_file(const std::filesystem::path& trace, const std::vector<std::filesystem::path>& directories,
                              std::uint32_t snaplen) {
  std::uint64_t sent_packets = 0, found_packets = 0;
  for (PcapStream sent(trace); sent.next();) ++sent_packets;
  for (const auto& path : sealed_files(directories)) {
    PcapStream sent(trace), found(path);
    for (std::uint64_t number = 0; const auto got = found.next(); ++number, ++found_packets) {
      auto wanted = sent.next();
      while (wanted && !same(*wanted, *got, snaplen)) wanted = sent.next();
      if (!wanted) return path.filename().string() + ": " + nth(number) + " is not in the trace behind those before it";
    }
  }
  if (found_packets == sent_packets) return "";
  return std::to_string(sent_packets) + " packets sent, " + std::to_string(found_packets) + " found";
}

}  // namespace wirespool::test

// SPDX-License-Identifier: BSD-3-Clause
// The same bytes read by libpcap and by us: classic pcap of every dialect. As far as both read, they read the same.
#include <pcap/pcap.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "format/pcap_decoder.hpp"
#include "fuzz/check.hpp"

using namespace wirespool;
using fuzz::check;

namespace {

// libpcap's packets of these bytes, one after the other.
class Peer {
 public:
  explicit Peer(std::span<const std::byte> bytes) {
    const int fd = ::memfd_create("peer", MFD_CLOEXEC);
    if (::pwrite(fd, bytes.data(), bytes.size(), 0) < 0) std::abort();
    std::FILE* const file = ::fdopen(fd, "rb");
    std::array<char, PCAP_ERRBUF_SIZE> why{};
    pcap_ = ::pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why.data());
    if (pcap_ == nullptr) std::fclose(file);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() {
    if (pcap_ != nullptr) ::pcap_close(pcap_);
  }
  // Of a file in the other byte order libpcap turns the kernel's own headers in front of packets (LINKTYPE_LINUX_SLL,
  // _SLL2, _USB_LINUX, _USB_LINUX_MMAPPED, _NFLOG; swap_pseudo_headers() in pcap-util.c).
  bool turns_headers(const format::PcapDecoder& decoder) const {
    constexpr std::array turned{DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_USB_LINUX, DLT_USB_LINUX_MMAPPED, DLT_NFLOG};
    return decoder.is_swapped() && std::ranges::find(turned, ::pcap_datalink(pcap_)) != turned.end();
  }
  bool next() { return pcap_ != nullptr && ::pcap_next_ex(pcap_, &header, &data) == 1; }

  pcap_pkthdr* header = nullptr;
  const unsigned char* data = nullptr;

 private:
  pcap_t* pcap_ = nullptr;
};

void check_same(const format::PcapDecoder& decoder, const PacketView& ours, const Peer& peer) {
  // It gives no more of a packet than the file's own snaplen.
  check(peer.header->caplen <= ours.bytes.size(), "no byte is left out");
  const bool same = std::memcmp(peer.data, ours.bytes.data(), peer.header->caplen) == 0;
  check(same || peer.turns_headers(decoder), "the bytes are the same");
  check(peer.header->len == ours.wirelen, "the length on the wire is the same");
  const auto& time = peer.header->ts;
  if (time.tv_usec < 0 || time.tv_usec >= 1'000'000'000 || time.tv_sec < 0) return;
  const auto ns = static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_usec);
  check(ns == ours.time.ns, "the time is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::bytes_of(data, size);
  if (bytes.size() < sizeof(format::PcapFileHeader)) return 0;
  const auto decoder = format::PcapDecoder::recognise(bytes);
  if (!decoder) return 0;
  Peer peer(bytes);
  auto rest = bytes.subspan(sizeof(format::PcapFileHeader));
  while (peer.next()) {
    const auto decoded = decoder->next(rest);
    if (decoded.kind == format::Decoded::Kind::damaged) break;  // longer than any packet: libpcap takes more
    check(decoded.kind == format::Decoded::Kind::packet, "what libpcap reads is read");
    check_same(*decoder, decoded.packet, peer);
    rest = rest.subspan(decoded.bytes);
  }
  return 0;
}

// SPDX-License-Identifier: BSD-3-Clause
#include "format/capture_decoder.hpp"

namespace wirespool::format {

std::expected<CaptureDecoder, std::string> CaptureDecoder::recognise(std::span<const std::byte> head) {
  if (head.empty()) return std::unexpected("it is empty");
  if (PcapngDecoder::has_magic(head)) return CaptureDecoder(PcapngDecoder{});
  if (!PcapDecoder::has_magic(head)) return std::unexpected("it is neither pcap nor pcapng");
  const auto pcap = PcapDecoder::recognise(head);
  if (!pcap) return std::unexpected(pcap.error());
  return CaptureDecoder(*pcap);
}

}  // namespace wirespool::format

// SPDX-License-Identifier: BSD-3-Clause
#include "format/capture_decoder.hpp"

#include <array>
#include <string_view>

namespace wirespool::format {

namespace {

struct Packing {
  std::string_view magic;
  const char* name;
  const char* program;
};

constexpr std::array<Packing, 5> packings{{{"\x1f\x8b", "gzip", "gzip"},
                                           {"\x28\xb5\x2f\xfd", "zstd", "zstd"},
                                           {"\x04\x22\x4d\x18", "lz4", "lz4"},
                                           {{"\xfd\x37zXZ\0", 6}, "xz", "xz"},
                                           {"BZh", "bzip2", "bzip2"}}};

// Why a file is no capture file, and what makes one.
std::string reason(std::span<const std::byte> head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  for (const auto& packing : packings) {
    if (!text.starts_with(packing.magic)) continue;
    return "it is compressed with " + std::string(packing.name) + ": `" + packing.program +
           " -dc FILE | wirespool extract - -w OUT` reads it";
  }
  return "it is neither pcap nor pcapng: `editcap IN OUT` (Wireshark) may know its format";
}

}  // namespace

std::expected<CaptureDecoder, std::string> CaptureDecoder::recognise(std::span<const std::byte> head) {
  if (head.empty()) return std::unexpected("it is empty");
  if (PcapngDecoder::has_magic(head)) return CaptureDecoder(PcapngDecoder{});
  if (!PcapDecoder::has_magic(head)) return std::unexpected(reason(head));
  const auto pcap = PcapDecoder::recognise(head);
  if (!pcap) return std::unexpected(pcap.error());
  return CaptureDecoder(*pcap);
}

}  // namespace wirespool::format

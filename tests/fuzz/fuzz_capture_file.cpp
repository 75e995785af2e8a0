// SPDX-License-Identifier: BSD-3-Clause
// Records of pcap and pcapng files of every dialect.
#include "format/capture_decoder.hpp"
#include "fuzz/check.hpp"

using namespace wirespool::format;
using wirespool::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = wirespool::fuzz::bytes_of(data, size);
  auto decoder = CaptureDecoder::recognise(bytes);
  if (!decoder) return 0;
  auto rest = bytes.subspan(std::min<std::size_t>(bytes.size(), decoder->first_record()));
  while (true) {
    const auto decoded = decoder->next(rest);
    if (decoded.kind == Decoded::Kind::damaged) break;
    if (decoded.kind == Decoded::Kind::more) {
      check(decoded.bytes > rest.size(), "more is asked for only when it is not there");
      break;
    }
    check(decoded.bytes > 0, "a record takes bytes");
    if (decoded.kind == Decoded::Kind::packet) {
      check(decoded.bytes <= rest.size(), "a packet is wholly there");
      check(decoded.packet.bytes.size() <= decoded.bytes, "a packet lies in its record");
    }
    if (decoded.bytes > rest.size()) break;
    rest = rest.subspan(decoded.bytes);
  }
  return 0;
}

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "format/bytes.hpp"
#include "format/pcap_decoder.hpp"
#include "format/pcapng.hpp"

namespace wirespool::format {

// Reads a capture file of either format.
class CaptureDecoder {
 public:
  // `head`: the first head_bytes of the file, or all of a shorter one.
  static constexpr std::size_t head_bytes = 32;
  static std::expected<CaptureDecoder, std::string> recognise(std::span<const std::byte> head);
  explicit CaptureDecoder(PcapDecoder pcap) : decoder_(pcap) {}
  explicit CaptureDecoder(PcapngDecoder pcapng) : decoder_(std::move(pcapng)) {}

  // Where the first record begins.
  std::uint64_t first_record() const { return is_pcap() ? sizeof(PcapFileHeader) : 0; }
  bool is_pcap() const { return std::holds_alternative<PcapDecoder>(decoder_); }
  const PcapDecoder* pcap() const { return std::get_if<PcapDecoder>(&decoder_); }

  // The byte order of the file, or of the section that was read last, is not this host's.
  bool is_swapped() const {
    return std::visit([](const auto& decoder) { return decoder.is_swapped(); }, decoder_);
  }
  std::vector<std::string> passed_over() const {
    const auto* pcapng = std::get_if<PcapngDecoder>(&decoder_);
    return pcapng != nullptr ? pcapng->passed_over() : std::vector<std::string>();
  }

  Decoded next(std::span<const std::byte> window) {
    if (const auto* pcap = std::get_if<PcapDecoder>(&decoder_)) return pcap->next(window);
    return std::get_if<PcapngDecoder>(&decoder_)->next(window);
  }

 private:
  std::variant<PcapDecoder, PcapngDecoder> decoder_;
};

}  // namespace wirespool::format

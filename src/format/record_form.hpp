// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "format/pcap_decoder.hpp"
#include "format/pcapng.hpp"
#include "format/pcapng_records.hpp"
#include "format/record_layout.hpp"

namespace wirespool::format {

// What the front of a record says, and how many bytes all of it takes.
struct FoundRecord : RecordHead {
  std::uint64_t bytes = 0;
};

// How to recognise records in a file that may be damaged: any pcap file, or a pcapng file as a capture writes it. Any
// thread.
class RecordForm {
 public:
  RecordForm(PcapDecoder pcap)
      : form_(pcap) {}  // NOLINT(google-explicit-constructor): a decoder is all there is to say
  // A file that begins with `front`, as pcapng_front() finds it.
  explicit RecordForm(PcapngFront pcapng) : form_(std::move(pcapng)) {}

  std::span<const std::byte> front() const;  // of pcapng; else empty
  std::uint64_t first_record() const;        // its offset in the file
  std::size_t front_bytes() const;           // of a record
  std::uint32_t linktype() const;
  std::uint32_t snaplen() const;

  // The record at the front of `bytes`, if its lengths can be right; `bytes` holds at least front_bytes().
  std::optional<FoundRecord> at(std::span<const std::byte> bytes) const noexcept;
  // The length of a block without a packet, as a capture writes it after its last packet; 0: there is none. `bytes`
  // holds at least front_bytes().
  std::uint64_t other_block(std::span<const std::byte> bytes) const noexcept;

 private:
  std::variant<PcapDecoder, PcapngFront> form_;
};

}  // namespace wirespool::format

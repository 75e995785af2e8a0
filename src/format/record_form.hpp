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

// How records lie in a file that may be damaged, for those who look for them: any pcap file, or a pcapng file as a
// capture writes it. Any thread.
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

  // What stands at the front of `bytes`, if it can be a record by its lengths; at least front_bytes() of them are
  // there.
  std::optional<FoundRecord> at(std::span<const std::byte> bytes) const noexcept;
  // Bytes of a block that is no packet and that a capture writes after its last one; 0: there is none. At least
  // front_bytes() are there.
  std::uint64_t other_block(std::span<const std::byte> bytes) const noexcept;

 private:
  std::variant<PcapDecoder, PcapngFront> form_;
};

}  // namespace wirespool::format

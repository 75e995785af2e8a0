// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "format/file_name.hpp"
#include "format/pcap_records.hpp"
#include "format/pcapng_records.hpp"
#include "format/source_tally.hpp"

namespace wirespool::format {

// The layout of the files of one capture, chosen at start: that of their records, and what stands in front of the first
// and after the last. The data path asks for the records' type once for many of them (visit); all else here is rarely
// called. Must not change once packets come; from then on, any thread.
class FileLayout {
 public:
  explicit FileLayout(PcapRecords pcap = PcapRecords()) : records_(pcap) {}
  // The front may be given later, by describe(): what it says of ports is known only once they are started.
  explicit FileLayout(PcapngRecords pcapng, std::size_t sources) : records_(std::move(pcapng)), sources_(sources) {}

  void describe(std::vector<std::byte> front) { records_ = PcapngRecords(std::move(front)); }

  // Calls `use` with an object of the type of the records.
  template <typename Use>
  decltype(auto) visit(Use use) const {
    return std::visit(use, records_);
  }

  FileFormat format() const noexcept { return tells_sources() ? FileFormat::pcapng : FileFormat::pcap; }
  bool tells_sources() const noexcept { return records_.index() == 1; }
  std::size_t sources() const noexcept { return sources_; }  // 0 if records do not name them

  std::span<const std::byte> front() const noexcept {
    return visit([](const auto& records) { return records.front(); });
  }
  std::uint32_t record_front_bytes() const noexcept {
    return visit([](const auto& records) { return records.front_bytes; });
  }
  std::size_t bytes_of(const RecordHead& head) const noexcept {
    return visit([&](const auto& records) { return records.bytes_of(head); });
  }
  void enclose(std::byte* to, const RecordHead& head) const noexcept {
    visit([&](const auto& records) { records.enclose(to, head); });
  }
  // What comes after the last packet of a file; empty if nothing does.
  std::vector<std::byte> ending(std::span<const SourceTally> tallies, Timestamp first, Timestamp last,
                                std::optional<std::uint64_t> clock_error_ns) const {
    return tells_sources() ? pcapng_statistics(tallies, first, last, clock_error_ns) : std::vector<std::byte>();
  }

  std::optional<RecordHead> head_of(std::span<const std::byte> bytes) const noexcept {
    return visit([&](const auto& records) { return records.head_of(bytes); });
  }
  std::optional<Record> record_of(std::span<const std::byte> bytes) const noexcept {
    return visit([&](const auto& records) { return records.record_of(bytes); });
  }

 private:
  std::variant<PcapRecords, PcapngRecords> records_;
  std::size_t sources_ = 0;
};

}  // namespace wirespool::format

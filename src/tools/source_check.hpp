// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "format/source_tally.hpp"

namespace wirespool::tools {

// Compares what a capture's pcapng file says of its sources at its end (interface statistics) with its packets as they
// are read.
class SourceCheck {
 public:
  // A whole block of the file, in file order.
  void packet(std::span<const std::byte> block);
  void other(std::span<const std::byte> block);

  // At the end of the file.
  std::vector<std::string> problems() const;
  bool has_statistics() const { return !told_.empty(); }
  format::MissingPackets missing() const;    // of all sources, by the statistics
  std::uint64_t missing_in_records() const;  // as the records say (epb_dropcount)
  std::uint64_t without_statistics() const;  // packets of sources that have none

 private:
  struct Seen {
    std::uint64_t packets = 0;
    std::uint64_t missing = 0;
  };
  std::map<std::uint32_t, Seen> seen_;
  std::map<std::uint32_t, format::SourceTally> told_;
  std::uint64_t unreadable_ = 0, twice_ = 0, contradicting_ = 0;  // statistics
};

}  // namespace wirespool::tools

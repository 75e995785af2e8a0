// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace wirespool::traffic {

inline constexpr unsigned shortest_frame = 64, longest_frame = 65535;  // without FCS

// Lengths of frames without FCS, and the order in which they take turns: the same on every machine, with each length's
// share exact in a turn of all.
class SizeMix {
 public:
  static SizeMix only(std::uint32_t bytes);

  // "1500"; "64:7,590:4,1514:1" (LENGTH:WEIGHT); "imix" (that one); "caida" (as public traces of backbone links: 41 %
  // short, 42 % full); "file:PATH" (a line LENGTH WEIGHT each, # begins a comment). The error is half a sentence.
  static std::expected<SizeMix, std::string> parse(std::string_view text);

  const std::string& name() const { return name_; }
  const std::vector<std::uint32_t>& lengths() const { return lengths_; }  // each once, in ascending order
  const std::vector<std::uint16_t>& turn() const { return turn_; }        // indices of lengths()
  std::uint32_t least() const { return lengths_.front(); }
  std::uint32_t most() const { return lengths_.back(); }
  double mean() const;

 private:
  struct Part {
    std::uint32_t bytes = 0;
    double weight = 1;
  };
  static std::expected<SizeMix, std::string> make(std::string_view name, std::vector<Part> parts);
  static std::expected<Part, std::string> part_of(std::string_view bytes, std::string_view weight);
  static std::expected<SizeMix, std::string> of_file(std::string_view name, const std::string& path);

  std::string name_;
  std::vector<std::uint32_t> lengths_;
  std::vector<std::uint16_t> turn_;
};

}  // namespace wirespool::traffic

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// Which keys a Block's packets have, as a Bloom filter split into lines of 32 bytes ("Cache-, Hash- and Space-Efficient
// Bloom Filters", Putze, Sanders, Singler, 2007): a key belongs to one line, and sets one bit in each of its eight
// words. README.md has the layout.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "format/flow_condition.hpp"
#include "format/flow_key.hpp"

namespace wirespool::format {

using FilterLine = std::array<std::uint32_t, 8>;
static_assert(sizeof(FilterLine) == 32);

// One Block's filter, as it lies in an index: 32 bytes a line, a power of two of them. No line: may hold anything.
class KeySet {
 public:
  KeySet() = default;
  explicit KeySet(std::span<const std::byte> lines) : lines_(lines) {}

  bool may_contain(FlowKey key) const noexcept;
  bool may_match(const FlowCondition& condition) const noexcept;

 private:
  std::span<const std::byte> lines_;
};

// Collects the keys of one Block after another. Takes its memory, 124 KiB, when it is made; single-threaded.
class KeyCollector {
 public:
  static constexpr std::size_t most_lines = 1024;

  KeyCollector();

  void add(std::span<const std::byte> frame) noexcept;

  // Appends the lines that the keys collected since the last take() need to `to`, and empties the collector. Returns
  // how many they are, 0 if the keys are too many.
  std::uint32_t take(std::vector<std::byte>& to);
  // The same into the caller's memory.
  std::uint32_t take(std::span<FilterLine, most_lines> to) noexcept;
  void clear() noexcept;

 private:
  // All that a flow's keys are made of, in a frame that needs no care: addresses, and protocol with ports. Of no
  // direction, as keys have none.
  struct PlainFlow {
    static constexpr std::uint64_t is_there = std::uint64_t{1} << 63;  // in the rest of each
    std::uint64_t addresses = 0, rest = 0;
    bool operator==(const PlainFlow&) const = default;
  };
  // What this Block has already, each found again by a hash: flows, so that a packet of one costs no more than to find
  // that out, and keys that flows share.
  struct Recent {
    std::array<PlainFlow, 2048> plain{};
    std::array<std::uint64_t, 2048> keys{};
    std::array<bool, 256> protocols{};
    std::array<FlowFields, 512> others{};
    bool any_other = false;
  };
  struct Lines {
    std::array<FilterLine, most_lines> all{};
    std::array<FilterLine, most_lines / 2> joined{};  // of the last try to halve them
  };

  bool seen(const FlowFields& fields) noexcept;
  void add_other(std::span<const std::byte> frame) noexcept;
  void add_keys_of_plain(std::span<const std::byte> frame, std::uint8_t protocol) noexcept;
  bool insert_new(FlowKey key) noexcept;
  void insert(FlowKey key) noexcept;
  std::uint32_t fold() noexcept;

  std::unique_ptr<Lines> lines_;
  std::unique_ptr<Recent> recent_;
  std::size_t inserted_ = 0;  // keys, as often as they were
};

}  // namespace wirespool::format

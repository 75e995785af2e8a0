// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "traffic/request.hpp"
#include "traffic/wire.hpp"

namespace wirespool::test {

// A Wire that keeps what is sent, gives it back as received, and takes as many packets a call as it is told.
class MemoryWire : public traffic::Wire {
 public:
  explicit MemoryWire(std::size_t slots = 64) : memory_(slots * stride), slots_(slots) {}

  std::string name() const override { return "memory"; }
  bool has_headers() const override { return true; }
  std::uint32_t longest() const override { return stride; }

  std::span<traffic::Slot> room(unsigned count) noexcept override {
    const auto slots = std::span(slots_).first(std::min<std::size_t>(count, slots_.size()));
    for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = {.data = memory_.data() + i * stride};
    return slots;
  }

  unsigned send(std::span<traffic::Slot> slots) noexcept override {
    ++calls;
    const auto taken = std::min<std::size_t>(slots.size(), takes ? takes() : slots.size());
    for (const auto& slot : slots.first(taken)) sent.emplace_back(slot.data, slot.data + slot.bytes);
    return static_cast<unsigned>(taken);
  }

  std::span<traffic::Slot> receive() noexcept override {
    received_.clear();
    while (next_ < sent.size())
      received_.push_back({.data = sent[next_].data(), .bytes = static_cast<std::uint32_t>(sent[next_].size())}),
          ++next_;
    return received_;
  }

  std::optional<std::uint64_t> missed() noexcept override { return 0; }
  std::optional<Error> problem() const override { return broken; }

  std::deque<std::vector<std::byte>> sent;
  std::function<std::size_t()> takes;  // of the next call; none: all
  std::optional<Error> broken;
  std::uint64_t calls = 0;

 private:
  static constexpr std::uint32_t stride = 2048;
  std::vector<std::byte> memory_;
  std::vector<traffic::Slot> slots_, received_;
  std::size_t next_ = 0;
};

inline traffic::Ends ends_between(unsigned flows = 1, std::optional<std::uint16_t> vlan = {}) {
  return {.local_ip = 0x0a000001,
          .remote_ip = 0x0a000002,
          .local_mac = traffic::parse_mac("02:00:00:00:00:01"),
          .remote_mac = traffic::parse_mac("02:00:00:00:00:02"),
          .local_port = 13994,
          .remote_port = 16994,
          .vlan = vlan,
          .flows = flows};
}

// The same link seen from its other end.
inline traffic::Ends other_end(const traffic::Ends& ends) {
  return {.local_ip = ends.remote_ip,
          .remote_ip = ends.local_ip,
          .local_mac = ends.remote_mac,
          .remote_mac = ends.local_mac,
          .local_port = ends.remote_port,
          .remote_port = ends.local_port,
          .vlan = ends.vlan,
          .flows = 1};
}

}  // namespace wirespool::test

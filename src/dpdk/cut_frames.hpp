// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>

#include "stats/counter.hpp"

namespace wirespool::dpdk {

// Counts the frames of an RxQueue that have the greatest length its driver passes on: they were cut, but for the rare
// one that is just that long. By a callback of the queue's receive call, so that other ports pay nothing for it. Lives
// longer than the port is started.
class CutFrames {
 public:
  // Before the port is started. nullptr: this DPDK is built without callbacks.
  static std::unique_ptr<CutFrames> count(std::uint16_t port, std::uint16_t queue, unsigned cut_at);

  std::uint64_t seen() const { return seen_.get(); }  // any thread
  void look_at(std::uint32_t length) {
    if (length >= cut_at_) ++seen_;
  }

 private:
  explicit CutFrames(unsigned cut_at) : cut_at_(cut_at) {}

  unsigned cut_at_;
  stats::Counter seen_;
};

}  // namespace wirespool::dpdk

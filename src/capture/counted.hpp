// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <utility>

#include "capture/outlet.hpp"

namespace wirespool::capture {

// Counts what arrives here: what the capture received and did not leave out. `Last` is the Outlet after it, called
// without another virtual call.
template <typename Last>
class Counted final : public Outlet {
 public:
  Counted(stats::RxCounters& counters, Last last) : counters_(counters), last_(std::move(last)) {}

  void deliver(const Received& received) noexcept override {
    count_received(counters_, received);
    last_.deliver(received);
  }
  void tick(Timestamp now) noexcept override { last_.tick(now); }
  void finish() noexcept override { last_.finish(); }
  std::int64_t held() const noexcept override { return last_.held(); }
  bool full() const noexcept override { return last_.full(); }

 private:
  stats::RxCounters& counters_;
  Last last_;
};

}  // namespace wirespool::capture

// SPDX-License-Identifier: BSD-3-Clause
#include "capture/service_watch.hpp"

#include "stats/render.hpp"

namespace wirespool::capture {

// At the end it has been told what ended the capture, which is more than rates.
void ServiceWatch::take(const format::LedgerLine& line, const format::LedgerLine& before) {
  if (!line.final) manager_.tell("STATUS=" + stats::rates_line(line, before));
}

void ServiceWatch::watch(const Pipeline& pipeline, std::uint64_t now_ns) {
  if (!manager_.listens() || manager_.watchdog_ns() == 0 || now_ns < next_ns_) return;
  next_ns_ = now_ns + manager_.watchdog_ns() / 3;
  if (progress_.made(pipeline.marks())) manager_.tell("WATCHDOG=1");
}

}  // namespace wirespool::capture

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "capture/ledger_sinks.hpp"
#include "capture/pipeline.hpp"
#include "machine/service_manager.hpp"
#include "policy/progress.hpp"

namespace wirespool::capture {

// What a service manager is told of a capture (sd_notify(3)): that it runs, how fast, that its lcores are alive, that
// it ends. Does nothing if no manager listens. Control thread.
class ServiceWatch : public LedgerSink {
 public:
  ServiceWatch() : manager_(machine::ServiceManager::from_environment()) {}

  void begin() override { manager_.tell("READY=1\nSTATUS=capturing"); }
  void take(const format::LedgerLine& line, const format::LedgerLine& before) override;  // the rates
  void stopping(const std::string& why) const { manager_.tell("STOPPING=1\nSTATUS=ending: " + why); }

  // Three times in each watchdog period: WATCHDOG=1, unless an lcore stands still.
  void watch(const Pipeline& pipeline, std::uint64_t now_ns);

 private:
  machine::ServiceManager manager_;
  policy::Progress progress_;
  std::uint64_t next_ns_ = 0;
};

}  // namespace wirespool::capture

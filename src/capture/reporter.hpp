// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "capture/ledger_sinks.hpp"
#include "capture/outputs.hpp"
#include "capture/pipeline.hpp"
#include "format/ledger_line.hpp"
#include "plan/capture_plan.hpp"
#include "storage/speaker.hpp"

namespace wirespool::capture {

// Collects the state of the capture and hands it to all LedgerSinks; notices go to `err`. Those that could not be said
// there are in the next ledger line.
class Reporter {
 public:
  Reporter(const plan::CapturePlan& plan, Outputs& outputs, storage::Speaker& err);

  void add(LedgerSink& sink);  // before begin(); outlives this
  void begin();                // what the plan has to tell; the sinks
  void notices(const std::vector<std::string>& lines);
  void notice(const std::string& line);
  void interval(Pipeline& pipeline);  // a ledger line
  bool look();                        // to be called often: whether a person asked for the end, by a key
  // The final one. Each sink has until `end` to take it.
  format::LedgerLine end(Pipeline& pipeline, const std::string& ended_by, std::chrono::steady_clock::time_point end);
  bool kept() const { return kept_; }  // the final line got out somewhere: a sink has it

 private:
  format::LedgerLine collect(Pipeline& pipeline);
  void hand_out(const format::LedgerLine& line);
  void watch_ledgers();
  void watch_links(const Pipeline& pipeline);
  void watch_drives(const format::LedgerLine& ledger);
  void watch_seal_hook();
  void watch_flows(const Pipeline& pipeline);
  void tell_of_unsynced(const format::LedgerLine& ledger);
  void add_unsaid(format::LedgerLine& ledger);

  const plan::CapturePlan& plan_;
  std::uint64_t start_ticks_;
  Outputs& outputs_;
  storage::Speaker& err_;
  std::vector<LedgerSink*> sinks_;
  format::LedgerLine last_;
  std::vector<bool> links_;
  bool kept_ = false;
};

}  // namespace wirespool::capture

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "capture/outputs.hpp"
#include "capture/pipeline.hpp"
#include "plan/capture_plan.hpp"
#include "stats/ledger.hpp"

namespace wirespool::capture {

// Says how the capture goes: to people or programs on `out`, to the files beside the capture, and notices on `err`.
class Reporter {
 public:
  Reporter(const plan::CapturePlan& plan, Timestamp start, Outputs& outputs, std::FILE* out, std::FILE* err);

  void begin();  // the plan; capture.json
  void notices(const std::vector<std::string>& lines);
  std::string interval(const Pipeline& pipeline);  // a ledger line; returns the rates in a few words
  stats::Ledger end(const Pipeline& pipeline, const std::string& ended_by);  // the final one; capture.json again

 private:
  stats::Ledger collect(const Pipeline& pipeline) const;
  void say(const std::string& line);
  void write_capture_json(const std::string& ledger_json);
  void watch_links(const Pipeline& pipeline);
  void watch_drives(const stats::Ledger& ledger);
  void watch_seal_hook();
  void tell_of_unsynced(const stats::Ledger& ledger);

  const plan::CapturePlan& plan_;
  Timestamp start_;
  std::uint64_t start_ticks_;
  Outputs& outputs_;
  std::FILE* out_;
  std::FILE* err_;
  bool console_ = false;
  bool json_ = false;
  stats::Ledger last_;
  std::vector<bool> links_;
};

}  // namespace wirespool::capture

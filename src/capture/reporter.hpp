// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "capture/outputs.hpp"
#include "capture/pipeline.hpp"
#include "format/ledger_line.hpp"
#include "plan/capture_plan.hpp"
#include "storage/speaker.hpp"

namespace wirespool::capture {

// Says how the capture goes: to people or programs on `out`, to the files beside the capture, and notices on `err`.
// What could not be said there is in the next ledger line.
class Reporter {
 public:
  Reporter(const plan::CapturePlan& plan, Timestamp start, Outputs& outputs, storage::Speaker& out,
           storage::Speaker& err);

  void begin();  // the plan; capture.json
  void notices(const std::vector<std::string>& lines);
  void notice(const std::string& line);
  std::string interval(const Pipeline& pipeline);  // a ledger line; returns the rates in a few words
  // The final one; capture.json again. Each drive has until `end` to take them.
  format::LedgerLine end(const Pipeline& pipeline, const std::string& ended_by,
                         std::chrono::steady_clock::time_point end);
  bool kept() const { return kept_; }  // the final line got out somewhere: into a directory, or on `out`

 private:
  format::LedgerLine collect(const Pipeline& pipeline);
  std::string capture_json(const std::optional<format::LedgerLine>& final) const;
  void watch_ledgers();
  void watch_links(const Pipeline& pipeline);
  void watch_drives(const format::LedgerLine& ledger);
  void watch_seal_hook();
  void tell_of_unsynced(const format::LedgerLine& ledger);
  void add_unsaid(format::LedgerLine& ledger);

  const plan::CapturePlan& plan_;
  Timestamp start_;
  std::uint64_t start_ticks_;
  Outputs& outputs_;
  storage::Speaker& out_;
  storage::Speaker& err_;
  bool console_ = false;
  bool json_ = false;
  format::LedgerLine last_;
  std::vector<bool> links_;
  bool kept_ = false;
};

}  // namespace wirespool::capture

// SPDX-License-Identifier: BSD-3-Clause
#include "capture/reporter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "dpdk/clock.hpp"
#include "stats/ledger.hpp"
#include "storage/steady_time.hpp"

namespace wirespool::capture {
namespace {

// A line that has waited this long for a reader is taken back, and recorded in the ledger instead.
constexpr auto patience = std::chrono::seconds(1);
constexpr auto last_moment = std::chrono::milliseconds(200);

}  // namespace

Reporter::Reporter(const plan::CapturePlan& plan, Outputs& outputs, storage::Speaker& err)
    : plan_(plan), start_ticks_(storage::steady_ns()), outputs_(outputs), err_(err), links_(plan.ports.size(), true) {}

void Reporter::add(LedgerSink& sink) { sinks_.push_back(&sink); }

void Reporter::begin() {
  notices(plan_.notices);
  for (auto* sink : sinks_) sink->begin();
}

void Reporter::notices(const std::vector<std::string>& lines) {
  for (const auto& line : lines) notice(line);
}

void Reporter::notice(const std::string& line) { err_.say("wirespool: " + line + "\n"); }

void Reporter::hand_out(const format::LedgerLine& line) {
  for (auto* sink : sinks_) sink->take(line, last_);
}

void Reporter::interval(Pipeline& pipeline) {
  const auto line = collect(pipeline);
  hand_out(line);
  watch_links(pipeline);
  watch_drives(line);
  watch_seal_hook();
  watch_flows(pipeline);
  watch_ledgers();
  last_ = line;
}

bool Reporter::look() {
  bool asked = false;
  for (auto* sink : sinks_) asked |= sink->look();
  return asked;
}

// A drive that failed may not have all it took.
void Reporter::tell_of_unsynced(const format::LedgerLine& ledger) {
  for (const auto& drive : ledger.drives) {
    if (drive.unsynced == 0) continue;
    notice(fmt::format(
        "drive {}: of what is stored there, the last {} packets were not synced and may be lost: wirespool repair {}",
        drive.path, drive.unsynced, drive.path));
  }
}

// All messages are said before the last line is written, so that it can list those that did not get out.
format::LedgerLine Reporter::end(Pipeline& pipeline, const std::string& ended_by,
                                 std::chrono::steady_clock::time_point end) {
  for (auto* sink : sinks_) sink->closing();
  auto ledger = collect(pipeline);
  ledger.final = true;
  ledger.ended_by = ended_by;
  // An lcore that hangs in a drive's write has what is not counted elsewhere.
  if (!pipeline.done())
    ledger.totals.drop_drive += static_cast<std::uint64_t>(std::max<std::int64_t>(0, stats::in_flight(ledger)));
  watch_drives(ledger);
  watch_seal_hook();
  watch_flows(pipeline);
  watch_ledgers();
  tell_of_unsynced(ledger);
  add_unsaid(ledger);
  stats::close_books(ledger);
  hand_out(ledger);
  for (auto* sink : sinks_) kept_ |= sink->finish(end);
  watch_ledgers();
  return ledger;
}

// Has the last lines out, or takes them back.
void Reporter::add_unsaid(format::LedgerLine& ledger) {
  (void)err_.finish(last_moment);
  auto unsaid = err_.take_unsaid({});
  std::ranges::move(unsaid.texts, std::back_inserter(ledger.unsaid.texts));
  ledger.unsaid.more += unsaid.more;
}

format::LedgerLine Reporter::collect(Pipeline& pipeline) {
  format::LedgerLine ledger;
  ledger.time = dpdk::utc_now();
  ledger.elapsed_ns = storage::steady_ns() - start_ticks_;
  pipeline.collect(ledger);
  if (const auto* hook = outputs_.seal_hook()) {
    const auto counts = hook->counts();
    ledger.on_seal = format::OnSealLine{counts.done, counts.failed, counts.pending};
  }
  if (const auto* retention = outputs_.retention())
    for (std::size_t i = 0; i < ledger.drives.size(); ++i) {
      const auto counts = retention->counts(i);
      ledger.drives[i].removed = format::RemovedLine{counts.files, counts.packets, counts.bytes};
    }
  if (const auto* archiving = outputs_.archiving())
    for (auto& archive : archiving->counts())
      ledger.archives.push_back({.path = std::move(archive.path),
                                 .state = std::move(archive.state),
                                 .why = std::move(archive.why),
                                 .files = archive.files,
                                 .packets = archive.packets,
                                 .bytes = archive.bytes});
  auto unsaid = err_.take_unsaid(patience);
  ledger.unsaid = {std::move(unsaid.texts), unsaid.more};
  stats::close_books(ledger);
  return ledger;
}

void Reporter::watch_links(const Pipeline& pipeline) {
  for (std::size_t i = 0; i < pipeline.ports().size(); ++i) {
    const bool up = pipeline.ports()[i].link_up();
    if (up == links_[i]) continue;
    links_[i] = up;
    notice(fmt::format("port {} ({}): link {}", plan_.ports[i].id, plan_.ports[i].name,
                       up ? "is up" : "is down: waiting for it"));
  }
}

void Reporter::watch_seal_hook() {
  auto* hook = outputs_.seal_hook();
  if (hook == nullptr) return;
  if (const auto complaint = hook->complaint())
    notice(fmt::format("--on-seal: {}: the file stays, and it is tried again", *complaint));
}

void Reporter::watch_flows(const Pipeline& pipeline) {
  if (auto* const flows = pipeline.flows())
    if (const auto complaint = flows->take_complaint()) notice(fmt::format("--flows: {}", *complaint));
}

void Reporter::watch_ledgers() {
  if (const auto complaint = outputs_.complaint())
    notice(fmt::format("ledger: {}: packets are kept all the same; make room, or see standard output", *complaint));
}

void Reporter::watch_drives(const format::LedgerLine& ledger) {
  notices(outputs_.take_complaints());
  for (std::size_t i = 0; i < ledger.drives.size(); ++i) {
    const auto& drive = ledger.drives[i];
    if (drive.state == "ok" || (i < last_.drives.size() && last_.drives[i].state == drive.state)) continue;
    notice(fmt::format("drive {}: {}: {}: its packets go to the other drives", drive.path, drive.state, drive.why));
  }
}

}  // namespace wirespool::capture

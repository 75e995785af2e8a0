// SPDX-License-Identifier: BSD-3-Clause
#include "capture/reporter.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>

#include "capture/eal.hpp"
#include "format/file_name.hpp"
#include "wirespool/version.hpp"

namespace wirespool::capture {
namespace {

std::uint64_t steady_ns() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

}  // namespace

Reporter::Reporter(const plan::CapturePlan& plan, Timestamp start, Outputs& outputs, std::FILE* out, std::FILE* err)
    : plan_(plan),
      start_(start),
      start_ticks_(steady_ns()),
      outputs_(outputs),
      out_(out),
      err_(err),
      links_(plan.ports.size(), true) {
  auto wanted = plan.config.stats;
  if (wanted == plan::StatsOutput::automatic)
    wanted = isatty(fileno(out)) ? plan::StatsOutput::console : plan::StatsOutput::json;
  console_ = wanted == plan::StatsOutput::console;
  json_ = wanted == plan::StatsOutput::json;
}

void Reporter::begin() {
  const auto text = plan::describe(plan_);
  std::fputs(text.c_str(), console_ ? out_ : err_);
  std::fflush(console_ ? out_ : err_);
  outputs_.open_ledgers();
  write_capture_json("null");
}

void Reporter::notices(const std::vector<std::string>& lines) {
  for (const auto& line : lines) fmt::print(err_, "wirespool: {}\n", line);
}

std::string Reporter::interval(const Pipeline& pipeline) {
  const auto ledger = collect(pipeline);
  const auto json = stats::to_json(ledger);
  if (json_) say(json);
  if (console_) say(stats::console_line(ledger, last_));
  outputs_.append_ledger(json);
  watch_links(pipeline);
  watch_drives(ledger);
  watch_seal_hook();
  auto rates = stats::rates_line(ledger, last_);
  last_ = ledger;
  return rates;
}

// A drive that failed may not have all it took.
void Reporter::tell_of_unsynced(const stats::Ledger& ledger) {
  for (const auto& drive : ledger.drives) {
    if (drive.unsynced == 0) continue;
    fmt::print(err_,
               "wirespool: drive {}: of what is stored there, the last {} packets were not synced and may be lost: "
               "wirespool repair {}\n",
               drive.path, drive.unsynced, drive.path);
  }
}

stats::Ledger Reporter::end(const Pipeline& pipeline, const std::string& ended_by) {
  auto ledger = collect(pipeline);
  ledger.final = true;
  ledger.ended_by = ended_by;
  const auto json = stats::to_json(ledger);
  if (json_) say(json);
  if (console_) say(stats::console_summary(ledger));
  outputs_.append_ledger(json);
  outputs_.close_ledgers();
  watch_drives(ledger);
  watch_seal_hook();
  tell_of_unsynced(ledger);
  write_capture_json(json);
  return ledger;
}

stats::Ledger Reporter::collect(const Pipeline& pipeline) const {
  stats::Ledger ledger;
  ledger.time = utc_now();
  ledger.elapsed_ns = steady_ns() - start_ticks_;
  pipeline.collect(ledger);
  if (const auto* hook = outputs_.seal_hook()) {
    const auto counts = hook->counts();
    ledger.on_seal = stats::OnSealLine{counts.done, counts.failed, counts.pending};
  }
  return ledger;
}

// A reader that has gone away, or does not read, is no reason to stop or to wait: clocks and signals need this thread.
void Reporter::say(const std::string& line) {
  pollfd ready{fileno(out_), POLLOUT, 0};
  (void)poll(&ready, 1, 0);
  if (!(ready.revents & POLLOUT)) return;
  fmt::memory_buffer buffer;
  fmt::format_to(std::back_inserter(buffer), "{}\n", line);
  (void)std::fwrite(buffer.data(), 1, buffer.size(), out_);
  (void)std::fflush(out_);
}

void Reporter::write_capture_json(const std::string& ledger_json) {
  outputs_.write_capture_json(fmt::format(
      "{{\"wirespool\":\"{}\",\"dpdk\":\"{}\",\"start\":\"{}\",\"name\":\"{}\",\"plan\":{},\"ledger\":{}}}\n", version,
      dpdk_version(), format::format_rfc3339(start_), plan_.config.name, plan::to_json(plan_), ledger_json));
}

void Reporter::watch_links(const Pipeline& pipeline) {
  for (std::size_t i = 0; i < pipeline.ports().size(); ++i) {
    const bool up = pipeline.ports()[i].link_up();
    if (up == links_[i]) continue;
    links_[i] = up;
    fmt::print(err_, "wirespool: port {} ({}): link {}\n", plan_.ports[i].id, plan_.ports[i].name,
               up ? "is up" : "is down: waiting for it");
  }
}

void Reporter::watch_seal_hook() {
  auto* hook = outputs_.seal_hook();
  if (hook == nullptr) return;
  if (const auto complaint = hook->complaint())
    fmt::print(err_, "wirespool: --on-seal: {}: the file stays, and it is tried again\n", *complaint);
}

void Reporter::watch_drives(const stats::Ledger& ledger) {
  notices(outputs_.take_complaints());
  for (std::size_t i = 0; i < ledger.drives.size(); ++i) {
    const auto& drive = ledger.drives[i];
    if (drive.state == "ok" || (i < last_.drives.size() && last_.drives[i].state == drive.state)) continue;
    fmt::print(err_, "wirespool: drive {}: {}: {}: its packets go to the other drives\n", drive.path, drive.state,
               drive.why);
  }
}

}  // namespace wirespool::capture

// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "stats/ledger.hpp"

namespace wirespool::stats {
namespace {

using Json = nlohmann::ordered_json;

std::string rfc3339(Timestamp time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:09}Z", fmt::gmtime(static_cast<std::time_t>(time.seconds())),
                     time.nanoseconds());
}

Json json_of(const std::optional<std::uint64_t>& counter) { return counter ? Json(*counter) : Json(nullptr); }

template <class Value>
Json json_by_name(const std::vector<std::pair<std::string, Value>>& pairs) {
  Json json = Json::object();
  for (const auto& [name, value] : pairs) json[name] = value;
  return json;
}

Json json_of(const PortLine& port) {
  Json json = {{"port", port.port},
               {"name", port.name},
               {"received", port.received},
               {"received_bytes", port.received_bytes},
               {"nic_missed", json_of(port.nic_missed)},
               {"nic_errors", json_of(port.nic_errors)},
               {"no_mbuf", json_of(port.no_mbuf)}};
  if (port.nic_other) json["nic_other"] = *port.nic_other;
  if (port.refills_failed) json["refills_failed"] = *port.refills_failed;
  if (port.stamps_refused) json["stamps_refused"] = *port.stamps_refused;
  if (port.cut_by_driver) json["cut_by_driver"] = *port.cut_by_driver;
  if (!port.not_counted.empty()) json["not_counted"] = json_by_name(port.not_counted);
  if (port.stats_failed) json["stats_failed"] = true;
  if (!port.xstats.empty()) json["xstats"] = json_by_name(port.xstats);
  return json;
}

Json json_of(const GapLine& gap) {
  return {{"port", gap.port},
          {"from", rfc3339(gap.from)},
          {"to", gap.to ? Json(rfc3339(*gap.to)) : Json(nullptr)},
          {"why", gap.why}};
}

Json totals_of(const Ledger& ledger) {
  const auto& totals = ledger.totals;
  return {{"received", totals.received},
          {"received_bytes", totals.received_bytes},
          {"ended_early", totals.ended_early},
          {"filtered", totals.filtered},
          {"stored", totals.stored},
          {"stored_bytes", totals.stored_bytes},
          {"trimmed", totals.trimmed},
          {"drop_handoff", totals.drop_handoff},
          {"drop_drive", totals.drop_drive},
          {"in_flight", ledger.in_flight()},
          {"lost", ledger.lost()},
          {"beyond_limit", totals.beyond_limit},
          {"rehomed", totals.rehomed}};
}

Json json_of(const StageLine& stage) {
  return {{"stage", stage.stage}, {"unit", stage.unit}, {"in_flight", stage.in_flight}, {"imbalance", stage.imbalance}};
}

Json json_of(const DriveLine& drive) {
  Json json = {{"path", drive.path},
               {"state", drive.state},
               {"blocks", drive.blocks},
               {"bytes", drive.bytes},
               {"inflight", drive.inflight},
               {"files", drive.files},
               {"unsynced", drive.unsynced},
               {"write_latency_ns", {{"p50", drive.p50_ns}, {"p99", drive.p99_ns}, {"max", drive.max_ns}}}};
  if (!drive.why.empty()) json["why"] = drive.why;
  return json;
}

Json json_of(const LcoreLine& lcore) {
  Json json = {{"lcore", lcore.lcore},
               {"role", lcore.role},
               {"busy", lcore.busy},
               {"packets", lcore.packets},
               {"waits", lcore.waits}};
  for (const auto& [stage, cycles] : lcore.cycles) json["cycles"][stage] = cycles;
  return json;
}

template <class Lines>
Json json_array(const Lines& lines) {
  Json array = Json::array();
  for (const auto& line : lines) array.push_back(json_of(line));
  return array;
}

// 12.3M, 45.6k, 789: three digits are enough for a rate.
std::string short_number(double n) {
  for (const auto& [unit, name] : {std::pair{1e9, "G"}, {1e6, "M"}, {1e3, "k"}})
    if (n >= unit) return fmt::format("{:.2f}{}", n / unit, name);
  return fmt::format("{:.0f}", n);
}

// What was lost, by cause; empty if nothing was.
std::string losses(const Ledger& ledger) {
  PortLine all;
  all.nic_other = all.cut_by_driver = 0;
  const auto add_to = [](auto& sum, const auto& counter) { *sum += counter.value_or(0); };
  for (const auto& port : ledger.ports) {
    add_to(all.nic_missed, port.nic_missed);
    add_to(all.nic_errors, port.nic_errors);
    add_to(all.nic_other, port.nic_other);
    add_to(all.no_mbuf, port.no_mbuf);
    add_to(all.cut_by_driver, port.cut_by_driver);
  }
  std::string text;
  const auto add = [&](const char* name, std::uint64_t n) {
    if (n) fmt::format_to(std::back_inserter(text), " {} {}", name, n);
  };
  add("nic_missed", *all.nic_missed);
  add("nic_errors", *all.nic_errors);
  add("nic_other", *all.nic_other);
  add("no_mbuf", *all.no_mbuf);
  add("cut_by_driver", *all.cut_by_driver);
  add("drop_handoff", ledger.totals.drop_handoff);
  add("drop_drive", ledger.totals.drop_drive);
  return text;
}

// What nobody counted: losses of these kinds would not be seen. Empty if everything is counted.
std::string not_counted(const Ledger& ledger) {
  std::string text;
  for (const auto& port : ledger.ports) {
    for (const auto& [counter, why] : port.not_counted)
      fmt::format_to(std::back_inserter(text), "  port {} {}: {} is unknown: {}\n", port.port, port.name, counter, why);
    if (port.stats_failed)
      fmt::format_to(std::back_inserter(text), "  port {} {}: its statistics could not be read at the end\n", port.port,
                     port.name);
  }
  for (const auto& gap : ledger.gaps)
    fmt::format_to(std::back_inserter(text), "  port {}: nothing was received from {} to {}: {}\n", gap.port,
                   rfc3339(gap.from), gap.to ? rfc3339(*gap.to) : "the end", gap.why);
  return text;
}

std::string short_of(const std::optional<std::uint64_t>& counter) {
  return counter ? fmt::format("{}", *counter) : "unknown";
}

// Since `before`, as words.
struct Rates {
  std::string received, received_bits, stored_bits;
  Rates(const Ledger& ledger, const Ledger& before) {
    const double seconds = static_cast<double>(ledger.elapsed_ns - before.elapsed_ns) / 1e9;
    const auto rate = [&](std::uint64_t now, std::uint64_t then) {
      return seconds > 0 && now > then ? static_cast<double>(now - then) / seconds : 0.0;
    };
    const auto& now = ledger.totals;
    const auto& then = before.totals;
    received = short_number(rate(now.received, then.received));
    received_bits = short_number(8 * rate(now.received_bytes, then.received_bytes));
    stored_bits = short_number(8 * rate(now.stored_bytes, then.stored_bytes));
  }
};

void summarize_totals(std::string& text, const Ledger& ledger) {
  const auto& t = ledger.totals;
  const auto row = [&](const char* name, std::uint64_t n, const std::string& note = {}) {
    fmt::format_to(std::back_inserter(text), "  {:<14}{:>20}  {}\n", name, n, note);
  };
  row("received", t.received, fmt::format("{} bytes", t.received_bytes));
  if (t.ended_early) row("ended_early", t.ended_early, "--until");
  if (t.filtered) row("filtered", t.filtered);
  row("stored", t.stored, fmt::format("{} bytes", t.stored_bytes));
  row("drop_handoff", t.drop_handoff);
  row("drop_drive", t.drop_drive);
  row("in_flight", static_cast<std::uint64_t>(std::max<std::int64_t>(0, ledger.in_flight())));
  if (t.rehomed) row("rehomed", t.rehomed, "stored on another drive than first meant");
  if (t.beyond_limit) row("beyond_limit", t.beyond_limit, "arrived with the last packets asked for, not recorded");
}

}  // namespace

std::string to_json(const Ledger& ledger) {
  Json json = {{"time", rfc3339(ledger.time)}, {"elapsed_ns", ledger.elapsed_ns}, {"final", ledger.final}};
  if (ledger.final) json["ended_by"] = ledger.ended_by;
  json["ports"] = json_array(ledger.ports);
  json["totals"] = totals_of(ledger);
  json["stages"] = json_array(ledger.stages);
  if (const auto wrong = ledger.imbalance(); !wrong.empty()) json["imbalance"] = wrong;
  json["drives"] = json_array(ledger.drives);
  json["lcores"] = json_array(ledger.lcores);
  if (!ledger.gaps.empty()) json["gaps"] = json_array(ledger.gaps);
  if (ledger.on_seal) {
    json["on_seal"] = {
        {"done", ledger.on_seal->done}, {"failed", ledger.on_seal->failed}, {"pending", ledger.on_seal->pending}};
  }
  if (!ledger.unsaid.texts.empty()) json["unsaid"] = ledger.unsaid.texts;
  if (ledger.unsaid.more) json["unsaid_more"] = ledger.unsaid.more;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string console_line(const Ledger& ledger, const Ledger& before) {
  const Rates rates(ledger, before);
  const auto& now = ledger.totals;
  const auto lost = losses(ledger);
  return fmt::format("{:>7.1f}s  received {} pkt {}pps {}bit/s  stored {} pkt {}bit/s  in_flight {}  lost{}",
                     static_cast<double>(ledger.elapsed_ns) / 1e9, now.received, rates.received, rates.received_bits,
                     now.stored, rates.stored_bits, ledger.in_flight(), lost.empty() ? " 0" : lost);
}

std::string rates_line(const Ledger& ledger, const Ledger& before) {
  const Rates rates(ledger, before);
  const auto lost = losses(ledger);
  const auto broken = std::ranges::count_if(ledger.drives, [](const auto& drive) { return drive.state != "ok"; });
  auto text = fmt::format("{}pps {}bit/s, {} stored, lost{}", rates.received, rates.received_bits, ledger.totals.stored,
                          lost.empty() ? " 0" : lost);
  if (broken) fmt::format_to(std::back_inserter(text), ", {} of {} drives out", broken, ledger.drives.size());
  if (ledger.on_seal && ledger.on_seal->pending)
    fmt::format_to(std::back_inserter(text), ", {} files wait for --on-seal", ledger.on_seal->pending);
  return text;
}

std::string console_summary(const Ledger& ledger) {
  std::string text =
      fmt::format("ended by {} after {:.3f} s\n", ledger.ended_by, static_cast<double>(ledger.elapsed_ns) / 1e9);
  summarize_totals(text, ledger);
  for (const auto& port : ledger.ports)
    fmt::format_to(std::back_inserter(text), "  port {} {}: received {}, nic_missed {}, nic_errors {}, no_mbuf {}\n",
                   port.port, port.name, port.received, short_of(port.nic_missed), short_of(port.nic_errors),
                   short_of(port.no_mbuf));
  for (const auto& drive : ledger.drives)
    fmt::format_to(
        std::back_inserter(text),
        "  drive {}: {}{}, {} files, {} bytes in {} writes, latency p50 {:.3f} ms, p99 {:.3f} ms, max {:.3f} ms\n",
        drive.path, drive.state, drive.why.empty() ? "" : " (" + drive.why + ")", drive.files, drive.bytes,
        drive.blocks, static_cast<double>(drive.p50_ns) / 1e6, static_cast<double>(drive.p99_ns) / 1e6,
        static_cast<double>(drive.max_ns) / 1e6);
  if (const auto& seal = ledger.on_seal)
    fmt::format_to(std::back_inserter(text), "  --on-seal: {} files done, {} runs failed, {} files wait\n", seal->done,
                   seal->failed, seal->pending);
  const auto lost = losses(ledger), unknown = not_counted(ledger);
  text += unknown;
  if (lost.empty() && unknown.empty()) return text + "nothing was lost\n";
  return text + (lost.empty() ? "nothing was lost that is counted\n" : fmt::format("lost:{}\n", lost));
}

}  // namespace wirespool::stats

// SPDX-License-Identifier: BSD-3-Clause
#include "stats/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "stats/losses.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::stats {
namespace {

using format::LedgerLine;

// What nothing counted: losses of these kinds would not be seen. Empty if everything is counted.
std::string not_counted(const LedgerLine& ledger) {
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

// Rates since the line `before`, as text.
struct Rates {
  std::string received, received_bits, stored_bits;
  Rates(const LedgerLine& ledger, const LedgerLine& before) {
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

void summarize_totals(std::string& text, const LedgerLine& ledger) {
  const auto& t = ledger.totals;
  const auto row = [&](const char* name, std::uint64_t n, const std::string& note = {}) {
    fmt::format_to(std::back_inserter(text), "  {:<14}{:>20}  {}\n", name, n, note);
  };
  row("received", t.received, fmt::format("{} bytes", t.received_bytes));
  if (t.ended_early) row("ended_early", t.ended_early, "--until");
  if (t.filtered) row("filtered", t.filtered);
  if (t.cut) row("cut", t.cut, "--cutoff");
  if (t.headers_only) row("headers_only", *t.headers_only, "stored without what their headers carry: --cutoff");
  row("stored", t.stored, fmt::format("{} bytes", t.stored_bytes));
  if (t.sliced) row("sliced", t.sliced, "stored without payload: --slice");
  if (t.trimmed) row("trimmed", t.trimmed, "stored without payload: the drives were too slow");
  row("drop_handoff", t.drop_handoff);
  row("drop_drive", t.drop_drive);
  row("in_flight", static_cast<std::uint64_t>(std::max<std::int64_t>(0, ledger.totals.in_flight)));
  if (t.rehomed) row("rehomed", t.rehomed, "stored on another drive than first meant");
  if (t.beyond_limit) row("beyond_limit", t.beyond_limit, "arrived with the last packets asked for, not recorded");
}

std::string flows_row(const format::FlowsLine& flows) {
  auto text =
      fmt::format("  flows: {} packets, {} not of IP, {} records ended, {} of them for lack of room, {} written",
                  flows.packets, flows.not_ip, flows.ended, flows.full, flows.written);
  if (flows.lost) fmt::format_to(std::back_inserter(text), ", {} LOST with {} packets", flows.lost, flows.lost_packets);
  if (flows.unwritten) fmt::format_to(std::back_inserter(text), ", {} NOT WRITTEN", flows.unwritten);
  return text + "\n";
}

}  // namespace

std::string short_number(double n) {
  for (const auto& [unit, name] : {std::pair{1e9, "G"}, {1e6, "M"}, {1e3, "k"}})
    if (n >= unit) return fmt::format("{:.2f}{}", n / unit, name);
  return fmt::format("{:.0f}", n);
}

std::string console_line(const LedgerLine& ledger, const LedgerLine& before) {
  const Rates rates(ledger, before);
  const auto& now = ledger.totals;
  const auto lost = counted_losses(losses_of(ledger));
  return fmt::format("{:>7.1f}s  received {} pkt {}pps {}bit/s  stored {} pkt {}bit/s  in_flight {}  lost{}",
                     static_cast<double>(ledger.elapsed_ns) / 1e9, now.received, rates.received, rates.received_bits,
                     now.stored, rates.stored_bits, ledger.totals.in_flight, lost.empty() ? " 0" : lost);
}

std::string rates_line(const LedgerLine& ledger, const LedgerLine& before) {
  const Rates rates(ledger, before);
  const auto lost = counted_losses(losses_of(ledger));
  const auto broken = std::ranges::count_if(ledger.drives, [](const auto& drive) { return drive.state != "ok"; });
  auto text = fmt::format("{}pps {}bit/s, {} stored, lost{}", rates.received, rates.received_bits, ledger.totals.stored,
                          lost.empty() ? " 0" : lost);
  if (broken) fmt::format_to(std::back_inserter(text), ", {} of {} drives out", broken, ledger.drives.size());
  if (ledger.on_seal && ledger.on_seal->pending)
    fmt::format_to(std::back_inserter(text), ", {} files wait for --on-seal", ledger.on_seal->pending);
  return text;
}

std::string console_summary(const LedgerLine& ledger) {
  std::string text =
      fmt::format("ended by {} after {:.3f} s\n", ledger.ended_by, static_cast<double>(ledger.elapsed_ns) / 1e9);
  summarize_totals(text, ledger);
  for (const auto& port : ledger.ports)
    fmt::format_to(std::back_inserter(text), "  port {} {}: received {}, nic_missed {}, nic_errors {}, no_mbuf {}\n",
                   port.port, port.name, port.received, short_of(port.nic_missed), short_of(port.nic_errors),
                   short_of(port.no_mbuf));
  for (const auto& port : ledger.ports)
    if (port.holes && port.holes->count != 0)
      fmt::format_to(std::back_inserter(text),
                     "  port {} {}: nothing came {} times for longer than --hole, {:.6f} s in all\n", port.port,
                     port.name, port.holes->count, static_cast<double>(port.holes->total_ns) / 1e9);
  for (const auto& drive : ledger.drives)
    fmt::format_to(
        std::back_inserter(text),
        "  drive {}: {}{}, {} files, {} bytes in {} writes, latency p50 {:.3f} ms, p99 {:.3f} ms, max {:.3f} ms\n",
        drive.path, drive.state, drive.why.empty() ? "" : " (" + drive.why + ")", drive.files, drive.bytes,
        drive.blocks, static_cast<double>(drive.write_latency_ns.p50) / 1e6,
        static_cast<double>(drive.write_latency_ns.p99) / 1e6, static_cast<double>(drive.write_latency_ns.max) / 1e6);
  for (const auto& drive : ledger.drives)
    for (const auto& away : drive.away)
      fmt::format_to(std::back_inserter(text), "  drive {}: took no packets from {} to {}: {}\n", drive.path,
                     rfc3339(away.from), away.to ? rfc3339(*away.to) : "the end", away.why);
  for (const auto& drive : ledger.drives)
    if (drive.removed && drive.removed->files != 0)
      fmt::format_to(std::back_inserter(text), "  drive {}: retention removed {} files with {} packets of {} bytes\n",
                     drive.path, drive.removed->files, drive.removed->packets, drive.removed->bytes);
  for (const auto& archive : ledger.archives)
    fmt::format_to(std::back_inserter(text), "  archive {}: {} files with {} packets of {} bytes moved there{}\n",
                   archive.path, archive.files, archive.packets, archive.bytes,
                   archive.state == "ok" ? "" : "; it is " + archive.state + ": " + archive.why);
  if (const auto& seal = ledger.on_seal)
    fmt::format_to(std::back_inserter(text), "  --on-seal: {} files done, {} runs failed, {} files wait\n", seal->done,
                   seal->failed, seal->pending);
  if (const auto& flows = ledger.flows) text += flows_row(*flows);
  const auto lost = counted_losses(losses_of(ledger)), unknown = not_counted(ledger);
  text += unknown;
  if (lost.empty() && unknown.empty()) return text + "nothing was lost\n";
  return text + (lost.empty() ? "nothing was lost that is counted\n" : fmt::format("lost:{}\n", lost));
}

}  // namespace wirespool::stats

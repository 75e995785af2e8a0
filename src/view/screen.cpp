// SPDX-License-Identifier: BSD-3-Clause
#include "view/screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "stats/losses.hpp"
#include "stats/render.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::view {
namespace {

using format::LedgerLine;
using stats::short_number;

constexpr unsigned name_columns = 30, bar_columns = 20;

// Rows that belong together. What there is no room for goes first where `rank` is highest.
struct Section {
  unsigned rank = 0;
  std::vector<Row> rows;
};

std::string elapsed_text(std::uint64_t ns) {
  const auto seconds = ns / 1'000'000'000;
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string duration_text(double ns) {
  for (const auto& [unit, name] : {std::pair{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}})
    if (ns >= unit) return fmt::format("{:.1f} {}", ns / unit, name);
  return fmt::format("{:.0f} ns", ns);
}

std::string window_text(std::uint64_t ns) {
  return ns < 1'000'000 ? fmt::format("{}us", ns / 1'000) : fmt::format("{}ms", ns / 1'000'000);
}

// Draws the parts of one screen.
class Drawing {
 public:
  Drawing(const Scene& scene, const Size& size, const Look& look)
      : scene_(scene), now_(scene.history->now()), before_(scene.history->before()), size_(size), look_(look) {}

  std::vector<Section> sections() const {
    return {header(), rates(), losses(), gaps(), blocks(), drives(), ports(), queues(), lcores(), clock(), messages()};
  }

 private:
  double rate(std::uint64_t now, std::uint64_t before) const { return rate_of(now, before, now_, before_); }

  Section header() const {
    Section section;
    auto& row = section.rows.emplace_back();
    row.put("wirespool ", Style::bold).put(scene_.title).put("  " + elapsed_text(now_.elapsed_ns));
    row.put("  ").put(scene_.state, scene_.state == "running" ? Style::green : Style::yellow);
    if (const auto used = row.columns() + scene_.keys.size() + 2; used <= size_.columns)
      row.to(size_.columns - static_cast<unsigned>(scene_.keys.size())).put(scene_.keys, Style::dim);
    section.rows.emplace_back();
    return section;
  }

  // `bytes`: the total of the same packets' bytes.
  Row rate_row(const char* name, std::uint64_t format::Totals::*packets, std::uint64_t format::Totals::*bytes) const {
    Row row;
    row.put(name).to(10);
    row.number(short_number(rate(now_.totals.*packets, before_.totals.*packets)), 8, Style::bold).put(" pkt/s");
    row.number(short_number(8 * rate(now_.totals.*bytes, before_.totals.*bytes)), 9, Style::bold).put(" bit/s  ");
    auto minute = scene_.history->rates(packets);
    const auto room = size_.columns > row.columns() + 1 ? size_.columns - row.columns() - 1 : 0;
    if (minute.size() > room) minute.erase(minute.begin(), minute.end() - room);
    return row.put(sparkline(minute, look_), Style::green);
  }

  Section rates() const {
    Section section;
    section.rows.push_back(rate_row("received", &format::Totals::received, &format::Totals::received_bytes));
    section.rows.push_back(rate_row("stored", &format::Totals::stored, &format::Totals::stored_bytes));
    auto& row = section.rows.emplace_back();
    row.put("in all").to(10).put(fmt::format("{} received, {} stored, {} on their way", now_.totals.received,
                                             now_.totals.stored, now_.totals.in_flight));
    if (now_.totals.filtered) row.put(fmt::format(", {} filtered", now_.totals.filtered));
    return section;
  }

  // A row for each cause that took something.
  Section losses() const {
    Section section;
    for (const auto& [name, packets] : stats::counted_causes(now_)) {
      if (packets == 0) continue;
      const auto earlier = lost_before(name);
      auto& row = section.rows.emplace_back();
      row.put("LOST", Style::red).to(10).put(fmt::format("{} {}", name, packets), Style::red);
      if (packets > earlier) row.put(fmt::format(" (+{})", packets - earlier), Style::red);
      row.put("  ").put(stats::advice_on(name));
    }
    if (section.rows.empty()) section.rows.emplace_back().put("lost").to(10).put("0", Style::green);
    if (const auto losses = stats::losses_of(now_); losses.any_unknown())
      section.rows.emplace_back().to(10).put("not counted here:" + stats::unknown_losses(losses), Style::yellow);
    if (!now_.imbalance.empty())
      section.rows.emplace_back().put("BOOKS", Style::red).to(10).put(now_.imbalance, Style::red);
    return section;
  }

  std::uint64_t lost_before(const std::string& cause) const {
    for (const auto& [name, packets] : stats::counted_causes(before_))
      if (name == cause) return packets;
    return 0;
  }

  Section gaps() const {
    Section section{.rank = 2, .rows = {}};
    for (const auto& gap : now_.gaps) {
      auto& row = section.rows.emplace_back();
      row.put("gap", Style::yellow).to(10);
      row.put(fmt::format("port {} gave nothing from {} to {}: {}", gap.port, rfc3339(gap.from),
                          gap.to ? rfc3339(*gap.to) : "now", gap.why));
    }
    constexpr std::size_t most = 3;
    if (section.rows.size() > most) section.rows.erase(section.rows.begin(), section.rows.end() - most);
    return section;
  }

  Section blocks() const {
    Section section{.rank = 1, .rows = {}};
    if (!now_.blocks) return section;
    const auto& blocks = *now_.blocks;
    const auto all = blocks.free + blocks.open + blocks.full;
    const double used = all > 0 ? static_cast<double>(blocks.open + blocks.full) / static_cast<double>(all) : 0;
    auto& row = section.rows.emplace_back();
    row.put("Blocks").to(10).put(bar(used, bar_columns, look_), used > 0.9 ? Style::red : Style::plain);
    row.put(fmt::format("  {} free, {} open, {} on their way to drives", blocks.free, blocks.open, blocks.full));
    if (const auto held = waiting_in_handoffs()) row.put(fmt::format(", {} in hand-offs", *held));
    return section;
  }

  std::optional<std::string> waiting_in_handoffs() const {
    for (const auto& stage : now_.stages)
      if (stage.stage == "handoff") return fmt::format("{} {}", stage.in_flight, stage.unit);
    return std::nullopt;
  }

  Row heads(const char* first, const std::vector<std::pair<const char*, unsigned>>& columns) const {
    Row row;
    row.put(first, Style::dim).to(name_columns);
    for (const auto& [name, width] : columns) row.number(name, width, Style::dim);
    return row;
  }

  Section drives() const {
    Section section{.rank = 3, .rows = {}};
    if (now_.drives.empty()) return section;
    section.rows.push_back(
        heads("drive", {{"state", 7}, {"B/s", 9}, {"writes", 8}, {"mean", 10}, {"p99", 10}, {"most", 10}}));
    for (std::size_t i = 0; i < now_.drives.size(); ++i) section.rows.push_back(drive_row(i));
    return section;
  }

  Row drive_row(std::size_t number) const {
    const auto& drive = now_.drives[number];
    const auto* const earlier = number < before_.drives.size() ? &before_.drives[number] : nullptr;
    const bool ok = drive.state == "ok";
    Row row;
    row.put(tail_of(drive.path, name_columns - 1)).to(name_columns);
    row.number(drive.state, 7, ok ? Style::green : Style::red);
    row.number(short_number(rate(drive.bytes, earlier ? earlier->bytes : 0)), 9)
        .number(fmt::format("{}", drive.inflight), 8);
    row.number(mean_of(drive, earlier), 10);
    row.number(duration_text(static_cast<double>(drive.write_latency_ns.p99)), 10);
    row.number(duration_text(static_cast<double>(drive.write_latency_ns.max)), 10);
    if (!ok) row.put("  " + drive.why, Style::red);
    return row;
  }

  // Of the writes that ended since the line before.
  static std::string mean_of(const format::DriveLine& drive, const format::DriveLine* earlier) {
    if (!drive.write_durations) return "-";
    const auto writes = drive.blocks - (earlier ? std::min(earlier->blocks, drive.blocks) : 0);
    const auto before = earlier && earlier->write_durations ? earlier->write_durations->sum_ns : 0;
    if (writes == 0 || drive.write_durations->sum_ns < before) return "-";
    return duration_text(static_cast<double>(drive.write_durations->sum_ns - before) / static_cast<double>(writes));
  }

  // The end of a path tells more than its beginning.
  static std::string tail_of(const std::string& path, std::size_t most) {
    if (path.size() <= most) return path;
    auto begin = path.size() - (most - 3);
    while (begin < path.size() && (static_cast<unsigned char>(path[begin]) & 0xc0) == 0x80) ++begin;
    return "..." + path.substr(begin);
  }

  Section ports() const {
    Section section{.rank = 4, .rows = {}};
    section.rows.push_back(
        heads("port", {{"pkt/s", 9}, {"bit/s", 9}, {"missed", 12}, {"errors", 10}, {"no_mbuf", 10}}));
    for (std::size_t i = 0; i < now_.ports.size(); ++i) {
      const auto& port = now_.ports[i];
      const auto* const earlier = i < before_.ports.size() ? &before_.ports[i] : nullptr;
      auto& row = section.rows.emplace_back();
      row.put(fmt::format("{} {}", port.port, port.name)).to(name_columns);
      row.number(short_number(rate(port.received, earlier ? earlier->received : 0)), 9);
      row.number(short_number(8 * rate(port.received_bytes, earlier ? earlier->received_bytes : 0)), 9);
      const auto losses = [&row](const std::optional<std::uint64_t>& counter, unsigned width) {
        row.number(counter ? fmt::format("{}", *counter) : "unknown", width,
                   !counter   ? Style::yellow
                   : *counter ? Style::red
                              : Style::plain);
      };
      losses(port.nic_missed, 12);
      losses(port.nic_errors, 10);
      losses(port.no_mbuf, 10);
      if (port.stats_failed) row.put("  does not answer", Style::red);
      if (!port.peaks.empty()) section.rows.push_back(peaks_of(port));
    }
    return section;
  }

  // The largest rates of the interval, and the longest time without a packet.
  static Row peaks_of(const format::PortLine& port) {
    Row row;
    row.put("  largest bit/s in").to(name_columns);
    for (const auto& peak : port.peaks) {
      const auto bits = 8 * static_cast<double>(peak.bytes) * 1e9 / static_cast<double>(peak.window_ns);
      row.number(window_text(peak.window_ns), 6).number(short_number(bits), 9);
    }
    if (!port.holes) return row;
    const auto silent = std::max(port.holes->longest_ns, port.holes->open_ns);
    row.put(fmt::format("  {} holes", port.holes->count), silent ? Style::yellow : Style::plain);
    if (silent) row.put(fmt::format(", {}", duration_text(static_cast<double>(silent))), Style::yellow);
    return row;
  }

  // A port's queues beside each other: they should look alike.
  Section queues() const {
    Section section{.rank = 6, .rows = {}};
    for (std::size_t i = 0; i < now_.ports.size(); ++i) {
      const auto& port = now_.ports[i];
      if (port.queues.size() < 2) continue;
      auto& row = section.rows.emplace_back();
      row.put(fmt::format("  queues of port {}", port.port)).to(name_columns);
      for (std::size_t q = 0; q < port.queues.size(); ++q) {
        const bool known = i < before_.ports.size() && q < before_.ports[i].queues.size();
        const auto earlier = known ? before_.ports[i].queues[q].received : 0;
        row.number(short_number(rate(port.queues[q].received, earlier)), 9);
      }
    }
    return section;
  }

  // Of the time since the line before; nothing for an lcore that never slept.
  std::optional<double> share_asleep(std::size_t lcore) const {
    const auto ns = now_.lcores[lcore].asleep_ns;
    const auto known = lcore < before_.lcores.size();
    const auto time_ns = now_.elapsed_ns - (known ? before_.elapsed_ns : 0);
    if (ns == 0 || time_ns == 0) return std::nullopt;
    const auto slept_ns = ns - (known ? before_.lcores[lcore].asleep_ns : 0);
    return std::min(1.0, static_cast<double>(slept_ns) / static_cast<double>(time_ns));
  }

  Section lcores() const {
    Section section{.rank = 5, .rows = {}};
    if (now_.lcores.empty()) return section;
    section.rows.push_back(
        heads("lcore", {{"pkt/s", 9}, {"waits", 9}, {"polls that found work, since the start", 40}}));
    for (std::size_t i = 0; i < now_.lcores.size(); ++i) {
      const auto& lcore = now_.lcores[i];
      const auto earlier = i < before_.lcores.size() ? before_.lcores[i].packets : 0;
      auto& row = section.rows.emplace_back();
      row.put(fmt::format("{} {}", lcore.lcore, lcore.role)).to(name_columns);
      row.number(short_number(rate(lcore.packets, earlier)), 9).number(fmt::format("{}", lcore.waits), 9);
      row.put("  " + bar(lcore.busy, bar_columns, look_), lcore.busy > 0.95 ? Style::yellow : Style::plain);
      row.put(fmt::format(" {:3.0f} %", 100 * lcore.busy));
      if (const auto asleep = share_asleep(i)) row.put(fmt::format("  asleep {:3.0f} %", 100 * *asleep));
    }
    return section;
  }

  Section clock() const {
    Section section{.rank = 3, .rows = {}};
    if (!now_.clock) return section;
    const auto& clock = *now_.clock;
    auto& row = section.rows.emplace_back();
    row.put("clock").to(10);
    if (clock.error_ns)
      row.put(fmt::format("at most {} from UTC", duration_text(static_cast<double>(*clock.error_ns))));
    else
      row.put("nothing says how far it is from UTC", Style::yellow);
    row.put(fmt::format(" ({})", clock.source));
    return section;
  }

  Section messages() const {
    Section section{.rank = 2, .rows = {}};
    constexpr std::size_t most = 5;
    const auto& all = scene_.messages;
    for (auto i = all.size() - std::min(all.size(), most); i < all.size(); ++i)
      section.rows.emplace_back().put(all[i], Style::yellow);
    return section;
  }

  const Scene& scene_;
  const LedgerLine &now_, &before_;
  const Size& size_;
  const Look& look_;
};

std::size_t rows_in(const std::vector<Section>& sections) {
  std::size_t rows = 0;
  for (const auto& section : sections) rows += section.rows.size();
  return rows;
}

void fit(std::vector<Section>& sections, std::size_t rows) {
  while (rows_in(sections) > rows) {
    auto least = sections.end();
    for (auto at = sections.begin(); at != sections.end(); ++at)
      if (!at->rows.empty() && (least == sections.end() || at->rank >= least->rank)) least = at;
    least->rows.pop_back();
  }
}

}  // namespace

std::vector<std::string> draw(const Scene& scene, const Size& size, const Look& look) {
  auto sections = Drawing(scene, size, look).sections();
  fit(sections, size.rows);
  std::vector<std::string> lines;
  for (const auto& section : sections)
    for (const auto& row : section.rows) lines.push_back(row.text(size.columns, look));
  return lines;
}

}  // namespace wirespool::view

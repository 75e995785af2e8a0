// SPDX-License-Identifier: BSD-3-Clause
#include "serve/exposition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "stats/losses.hpp"

namespace wirespool::serve {
namespace {

using format::LedgerLine;

std::string text_of(unsigned number) { return std::to_string(number); }

void tell_of_capture(FamilyWriter& page, const AboutCapture& about) {
  page.family("build", Kind::info, "The program that captures: one value for all probes that are to be alike.");
  page.sample({{"version", about.wirespool}, {"dpdk", about.dpdk}}, std::uint64_t{1});
  page.family("start_time_seconds", Kind::gauge, "When the capture began (UTC); all counters were 0 then.");
  page.seconds({}, about.start.ns);
}

void tell_of_line(FamilyWriter& page, const LedgerLine& line) {
  page.family(
      "ledger_time_seconds", Kind::gauge,
      "When these numbers were taken (UTC), once every --stats-interval. If it stands still, the control thread "
      "hangs: look at its drives and devices.");
  page.seconds({}, line.time.ns);
  page.family(
      "books_balanced", Kind::gauge,
      "1: every packet that was received is accounted for. 0 is a bug in wirespool: report it with the ledger.");
  page.sample({}, std::uint64_t{line.imbalance.empty()});
}

void tell_of_received(FamilyWriter& page, const LedgerLine& line) {
  const auto each_queue = [&](auto value) {
    for (const auto& port : line.ports) {
      for (const auto& queue : port.queues)
        page.sample({{"port", text_of(port.port)}, {"queue", text_of(queue.queue)}}, queue.*value);
    }
  };
  page.family("port", Kind::info, "The device behind each port number.");
  for (const auto& port : line.ports)
    page.sample({{"port", text_of(port.port)}, {"name", port.name}}, std::uint64_t{1});
  page.family("received_packets", Kind::counter,
              "Packets that wirespool got from the port. One queue with much more than the others: see --rss.");
  each_queue(&format::QueueLine::received);
  page.family("received_bytes", Kind::counter, "Bytes of these on the wire, without FCS.");
  each_queue(&format::QueueLine::received_bytes);
}

// Of ledgers with --cutoff alone.
void tell_of_cutoff(FamilyWriter& page, const format::Totals& totals) {
  if (!totals.headers_only) return;
  page.family("cut_packets", Kind::counter, "Packets that were left out behind the first bytes of a flow: as asked.");
  page.sample({}, totals.cut);
  page.family("headers_only_packets", Kind::counter,
              "Packets behind the first bytes of a flow of which the headers alone are kept: as asked.");
  page.sample({}, *totals.headers_only);
}

// What is asked to be left out, and what is stored: with lost ones of the last two causes and those in flight, all that
// was received.
void tell_of_fate(FamilyWriter& page, const format::Totals& totals) {
  page.family("stored_packets", Kind::counter, "Packets that are on a drive.");
  page.sample({}, totals.stored);
  page.family("stored_bytes", Kind::counter,
              "Bytes of these that were kept (--snaplen, --slice, --cutoff), without record headers.");
  page.sample({}, totals.stored_bytes);
  page.family("sliced_packets", Kind::counter, "Packets that are stored without their payload: as --slice asks.");
  page.sample({}, totals.sliced);
  page.family(
      "trimmed_packets", Kind::counter,
      "Packets that are stored without their payload, as drives were too slow (--when-full trim). Growing: more or "
      "faster drives.");
  page.sample({}, totals.trimmed);
  page.family("filtered_packets", Kind::counter, "Packets that do not match --filter: as asked.");
  page.sample({}, totals.filtered);
  page.family("ended_early_packets", Kind::counter, "Packets that --until let go no further: as asked.");
  page.sample({}, totals.ended_early);
  tell_of_cutoff(page, totals);
  page.family("rehomed_packets", Kind::counter,
              "Packets that another drive had refused: they are stored or lost as well. Look after that drive.");
  page.sample({}, totals.rehomed);
  page.family("in_flight_packets", Kind::gauge,
              "Packets between port and drive. Growing: drives or writer lcores are too slow.");
  page.sample({}, totals.in_flight);
}

void tell_of_losses(FamilyWriter& page, const LedgerLine& line) {
  std::string help = "Packets that were lost, by cause.";
  for (const auto& advice : stats::loss_advice()) help += fmt::format(" {}: {}.", advice.cause, advice.words);
  page.family("lost_packets", Kind::counter, help + " A cause that nobody counts is absent.");
  for (const auto& [cause, packets] : stats::counted_causes(line)) page.sample({{"cause", cause}}, packets);
  page.family("uncounted_losses", Kind::gauge,
              "1: the port's driver does not count this cause, so that such losses would not be seen. See NICS.md.");
  for (const auto& port : line.ports)
    for (const auto& [cause, why] : port.not_counted)
      page.sample({{"port", text_of(port.port)}, {"cause", cause}}, std::uint64_t{1});
}

void tell_of_ports(FamilyWriter& page, const LedgerLine& line) {
  const auto each_counted = [&](auto value) {
    for (const auto& port : line.ports)
      if (port.*value) page.sample({{"port", text_of(port.port)}}, *(port.*value));
  };
  page.family("port_unread", Kind::gauge,
              "1: the device did not answer when its losses were read; they are those of the last time it did.");
  for (const auto& port : line.ports) page.sample({{"port", text_of(port.port)}}, std::uint64_t{port.stats_failed});
  page.family("refills_failed", Kind::counter, "Attempts of the driver to refill its ring: more --mbufs if it grows.");
  each_counted(&format::PortLine::refills_failed);
  page.family(
      "stamps_refused", Kind::counter,
      "Stamps of the NIC that cannot be; those packets got the time of the poll. Growing: use --timestamp tsc.");
  each_counted(&format::PortLine::stamps_refused);
}

void tell_of_peaks(FamilyWriter& page, const LedgerLine& line) {
  constexpr std::uint64_t second_ns = 1'000'000'000;
  const auto each = [&](auto value) {
    for (const auto& port : line.ports)
      for (const auto& peak : port.peaks)
        page.sample({{"port", text_of(port.port)}, {"window", fmt::format("{}us", peak.window_ns / 1000)}},
                    peak.*value * (second_ns / peak.window_ns));
  };
  page.family("peak_packets_per_second", Kind::gauge,
              "The largest rate within any window of that length since the ledger line before. Far above the mean: "
              "micro-bursts; --rx-desc has to hold them.");
  each(&format::PeakLine::packets);
  page.family("peak_bytes_per_second", Kind::gauge, "The same in bytes on the wire, without FCS.");
  each(&format::PeakLine::bytes);
}

// Of captures with --hole alone.
void tell_of_holes(FamilyWriter& page, const LedgerLine& line) {
  if (std::ranges::none_of(line.ports, [](const auto& port) { return port.holes.has_value(); })) return;
  page.family("holes", Kind::counter,
              "How often a port received nothing for longer than --hole. Where traffic never ceases: look at what "
              "mirrors it.");
  for (const auto& port : line.ports)
    if (port.holes) page.sample({{"port", text_of(port.port)}}, port.holes->count);
  page.family("hole_seconds", Kind::counter, "How long, all of these together.");
  for (const auto& port : line.ports)
    if (port.holes) page.seconds({{"port", text_of(port.port)}}, port.holes->total_ns);
}

// Those of a port together: how often, for how long, and whether it is away now.
struct Away {
  std::uint64_t times = 0, ns = 0;
  bool now = false;
};

void tell_of_gaps(FamilyWriter& page, const LedgerLine& line) {
  std::map<unsigned, Away> ports;
  for (const auto& port : line.ports) ports[port.port];
  for (const auto& gap : line.gaps) {
    auto& away = ports[gap.port];
    const auto to = gap.to.value_or(line.time).ns;
    ++away.times;
    away.ns += to - std::min(to, gap.from.ns);
    away.now |= !gap.to;
  }
  page.family("gaps", Kind::counter,
              "How often a port gave nothing because it was reset: what came then is not counted.");
  for (const auto& [port, away] : ports) page.sample({{"port", text_of(port)}}, away.times);
  page.family("gap_seconds", Kind::counter, "How long, all of these together.");
  for (const auto& [port, away] : ports) page.seconds({{"port", text_of(port)}}, away.ns);
  page.family("port_away", Kind::gauge, "1: it has not come back. Look at the PF or the hypervisor that reset it.");
  for (const auto& [port, away] : ports) page.sample({{"port", text_of(port)}}, std::uint64_t{away.now});
}

void tell_of_blocks(FamilyWriter& page, const LedgerLine& line) {
  page.family(
      "blocks", Kind::gauge,
      "Blocks in memory: free, open (being filled, or on their way to a writer lcore), full (left to a drive and "
      "not on it). None free: the drives are slower than the wire.");
  if (!line.blocks) return;
  page.sample({{"state", "free"}}, line.blocks->free);
  page.sample({{"state", "open"}}, line.blocks->open);
  page.sample({{"state", "full"}}, line.blocks->full);
}

void tell_of_durations(FamilyWriter& page, const LedgerLine& line) {
  using Durations = format::WriteDurations;
  page.family(
      "drive_write_duration_seconds", Kind::histogram,
      "From a write's submission until its writer lcore saw it done. Growing tail: the drive collects garbage, is "
      "full, or is shared.");
  for (const auto& drive : line.drives) {
    if (!drive.write_durations) continue;
    const auto& counts = drive.write_durations->counts;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> at_most;
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < Durations::last_bits - Durations::first_bits + 1; ++i) {
      all += i < counts.size() ? counts[i] : 0;
      at_most.emplace_back((std::uint64_t{1} << (Durations::first_bits + i)) - 1, all);
    }
    for (auto i = at_most.size(); i < counts.size(); ++i) all += counts[i];
    page.durations({{"drive", drive.path}}, at_most, all, drive.write_durations->sum_ns);
  }
}

void tell_of_drives(FamilyWriter& page, const LedgerLine& line) {
  const auto each = [&](auto value) {
    for (const auto& drive : line.drives) page.sample({{"drive", drive.path}}, drive.*value);
  };
  page.family(
      "drive_state", Kind::gauge,
      "1 for the state a drive is in. full: make room, and it is taken back. failed: its packets go to the others; "
      "mend it and mount it again, and it is taken back, then wirespool repair.");
  for (const auto& drive : line.drives)
    for (const std::string state : {"ok", "full", "failed"})
      page.sample({{"drive", drive.path}, {"state", state}}, std::uint64_t{drive.state == state});
  page.family("drive_returns", Kind::counter,
              "How often a drive took Blocks again after it was full or had failed. Growing while it failed: look at "
              "its cable and its power.");
  each(&format::DriveLine::taken_back);
  page.family("drive_written_bytes", Kind::counter, "Bytes of ended writes, with record headers and padding.");
  each(&format::DriveLine::bytes);
  page.family("drive_writes_in_flight", Kind::gauge, "Writes under way. Always at --io-depth: the drive is the limit.");
  each(&format::DriveLine::inflight);
  page.family("drive_files", Kind::counter, "Files begun.");
  each(&format::DriveLine::files);
  page.family("drive_unsynced_packets", Kind::gauge,
              "Packets that are stored and may be lost with a drive that failed: wirespool repair DIR.");
  each(&format::DriveLine::unsynced);
}

void tell_of_retention(FamilyWriter& page, const LedgerLine& line) {
  const auto each = [&](auto value) {
    for (const auto& drive : line.drives)
      if (drive.removed) page.sample({{"drive", drive.path}}, (*drive.removed).*value);
  };
  page.family("removed_files", Kind::counter,
              "Sealed files that --retain-free, --retain-size or --retain-age removed.");
  each(&format::RemovedLine::files);
  page.family("removed_packets", Kind::counter, "Packets in these.");
  each(&format::RemovedLine::packets);
}

void tell_of_archives(FamilyWriter& page, const LedgerLine& line) {
  const auto each = [&](auto value) {
    for (const auto& archive : line.archives) page.sample({{"archive", archive.path}}, value(archive));
  };
  page.family("archive_ok", Kind::gauge,
              "1 if it takes files; 0 if it is full, failed or slow: sealed files stay on the drives.");
  each([](const auto& archive) { return std::uint64_t{archive.state == "ok"}; });
  page.family("archived_files", Kind::counter, "Sealed files that were moved there (--archive).");
  each([](const auto& archive) { return archive.files; });
  page.family("archived_packets", Kind::counter, "Packets in these.");
  each([](const auto& archive) { return archive.packets; });
}

void tell_of_lcores(FamilyWriter& page, const LedgerLine& line) {
  page.family(
      "lcore_waits", Kind::counter,
      "rx: Bursts that waited for room on the way to the writers; writer: rounds in which packets waited for an "
      "empty Block. Growing: the drives are the limit.");
  for (const auto& lcore : line.lcores)
    page.sample({{"lcore", text_of(lcore.lcore)}, {"role", lcore.role}}, lcore.waits);
  page.family("lcore_asleep_seconds", Kind::counter,
              "Time that it slept as it had nothing to do (--idle adaptive); the rest is a CPU's time.");
  for (const auto& lcore : line.lcores)
    page.seconds({{"lcore", text_of(lcore.lcore)}, {"role", lcore.role}}, lcore.asleep_ns);
  page.family("lcore_overslept", Kind::counter,
              "Sleeps that took so long that packets at line rate would have found a ring or hand-off full. Growing: "
              "the machine wakes threads up late; larger --rx-desc, or --idle poll.");
  for (const auto& lcore : line.lcores)
    page.sample({{"lcore", text_of(lcore.lcore)}, {"role", lcore.role}}, lcore.overslept);
}

void tell_of_clock(FamilyWriter& page, const LedgerLine& line) {
  if (!line.clock) return;
  page.family("clock", Kind::info, "What stamps packets, and who keeps the system's clock on UTC.");
  page.sample({{"source", line.clock->source}, {"discipline", line.clock->discipline}}, std::uint64_t{1});
  page.family(
      "clock_error_bound_seconds", Kind::gauge,
      "Packets' times are no further from UTC than this. Absent: nobody knows; let chronyd, ntpd or phc2sys keep "
      "the clock.");
  if (line.clock->error_ns) page.seconds({}, *line.clock->error_ns);
}

void tell_of_seal_hook(FamilyWriter& page, const LedgerLine& line) {
  if (!line.on_seal) return;
  page.family("on_seal_files", Kind::counter, "Sealed files that --on-seal succeeded for.");
  page.sample({}, line.on_seal->done);
  page.family("on_seal_failed_runs", Kind::counter,
              "Runs of --on-seal that failed: they are tried again. See its messages.");
  page.sample({}, line.on_seal->failed);
  page.family("on_seal_pending_files", Kind::gauge, "Sealed files that wait for --on-seal. Growing: it is too slow.");
  page.sample({}, line.on_seal->pending);
}

void tell_of_flows(FamilyWriter& page, const LedgerLine& line) {
  if (!line.flows) return;
  const auto family = [&](const char* name, Kind kind, const char* help, std::uint64_t value) {
    page.family(name, kind, help);
    page.sample({}, value);
  };
  const auto& flows = *line.flows;
  family("flow_packets", Kind::counter, "Packets of IP that were looked up in the tables of flows.", flows.packets);
  family("flow_records_open", Kind::gauge, "Records of flows in the tables.", flows.open);
  family("flow_records_ended", Kind::counter, "Records that ended.", flows.ended);
  family("flow_records_full", Kind::counter,
         "Records that ended because another flow needed their place. Growing: a larger --flow-table.", flows.full);
  family("flow_records_lost", Kind::counter,
         "Records that ended so and were lost, as those before them were not written fast enough. Growing: a larger "
         "--flow-table, or a faster drive for --flows.",
         flows.lost);
  family("flow_records_written", Kind::counter, "Records in the files of --flows.", flows.written);
  family("flow_records_unwritten", Kind::counter,
         "Records that the directory of --flows did not take. Make room there, or see its drive.", flows.unwritten);
}

}  // namespace

std::string exposition(const LedgerLine* line, const AboutCapture& about, Form form) {
  FamilyWriter page(form, about.start);
  tell_of_capture(page, about);
  if (line == nullptr) return page.finish();
  tell_of_line(page, *line);
  tell_of_received(page, *line);
  tell_of_fate(page, line->totals);
  tell_of_losses(page, *line);
  tell_of_ports(page, *line);
  tell_of_gaps(page, *line);
  tell_of_peaks(page, *line);
  tell_of_holes(page, *line);
  tell_of_blocks(page, *line);
  tell_of_drives(page, *line);
  tell_of_durations(page, *line);
  tell_of_retention(page, *line);
  tell_of_archives(page, *line);
  tell_of_lcores(page, *line);
  tell_of_clock(page, *line);
  tell_of_seal_hook(page, *line);
  tell_of_flows(page, *line);
  return page.finish();
}

}  // namespace wirespool::serve

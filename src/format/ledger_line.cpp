// SPDX-License-Identifier: BSD-3-Clause
#include "format/ledger_line.hpp"

#include <nlohmann/json.hpp>

#include "wirespool/time_text.hpp"

namespace wirespool::format {
namespace {

using Json = nlohmann::ordered_json;  // keeps the order written here
using Count = std::optional<std::uint64_t>;

// ---- encoding

Json json_of(const Count& counter) { return counter ? Json(*counter) : Json(nullptr); }
Json json_of(const std::optional<Timestamp>& time) { return time ? Json(rfc3339(*time)) : Json(nullptr); }

template <class Value>
Json json_by_name(const std::vector<std::pair<std::string, Value>>& pairs) {
  Json json = Json::object();
  for (const auto& [name, value] : pairs) json[name] = value;
  return json;
}

Json with_others(Json json, const OtherFields& others) {
  for (const auto& [name, value] : others) json[name] = Json::parse(value, nullptr, false);
  return json;
}

Json json_of(const QueueLine& queue) {
  return with_others({{"queue", queue.queue}, {"received", queue.received}, {"received_bytes", queue.received_bytes}},
                     queue.others);
}

Json json_of(const PeakLine& peak) {
  return with_others({{"window_ns", peak.window_ns}, {"packets", peak.packets}, {"bytes", peak.bytes}}, peak.others);
}

Json json_of(const HoleLine& hole) {
  return with_others({{"from", rfc3339(hole.from)}, {"to", rfc3339(hole.to)}}, hole.others);
}

Json json_of(const HolesLine& holes);
Json json_of(const PortLine& port);

Json json_of(const GapLine& gap) {
  return with_others({{"port", gap.port}, {"from", rfc3339(gap.from)}, {"to", json_of(gap.to)}, {"why", gap.why}},
                     gap.others);
}

template <typename Lines>
Json json_array(const Lines& lines);

Json json_of(const AwayLine& away) {
  return with_others({{"from", rfc3339(away.from)}, {"to", json_of(away.to)}, {"why", away.why}}, away.others);
}

Json json_of(const Totals& totals) {
  Json json = {{"received", totals.received},
               {"received_bytes", totals.received_bytes},
               {"ended_early", totals.ended_early},
               {"filtered", totals.filtered},
               {"cut", totals.cut},
               {"stored", totals.stored},
               {"stored_bytes", totals.stored_bytes},
               {"sliced", totals.sliced},
               {"trimmed", totals.trimmed},
               {"drop_handoff", totals.drop_handoff},
               {"drop_drive", totals.drop_drive},
               {"in_flight", totals.in_flight}};
  if (totals.lost) json["lost"] = *totals.lost;
  json["beyond_limit"] = totals.beyond_limit;
  json["rehomed"] = totals.rehomed;
  if (totals.headers_only) json["headers_only"] = *totals.headers_only;
  return with_others(std::move(json), totals.others);
}

Json json_of(const StageLine& stage) {
  Json json = {
      {"stage", stage.stage}, {"unit", stage.unit}, {"in_flight", stage.in_flight}, {"imbalance", stage.imbalance}};
  if (!stage.where.empty()) json["where"] = stage.where;
  return with_others(std::move(json), stage.others);
}

Json json_of(const WriteLatency& latency) {
  return with_others({{"p50", latency.p50}, {"p99", latency.p99}, {"max", latency.max}}, latency.others);
}

Json json_of(const WriteDurations& durations) {
  return with_others({{"sum_ns", durations.sum_ns}, {"counts", durations.counts}}, durations.others);
}

Json json_of(const BlocksLine& blocks) {
  return with_others({{"free", blocks.free}, {"open", blocks.open}, {"full", blocks.full}}, blocks.others);
}

Json json_of(const RemovedLine& removed) {
  return with_others({{"files", removed.files}, {"packets", removed.packets}, {"bytes", removed.bytes}},
                     removed.others);
}

Json json_of(const DriveLine& drive) {
  Json json = {{"path", drive.path},         {"state", drive.state},
               {"blocks", drive.blocks},     {"bytes", drive.bytes},
               {"inflight", drive.inflight}, {"files", drive.files},
               {"unsynced", drive.unsynced}, {"write_latency_ns", json_of(drive.write_latency_ns)}};
  if (drive.write_durations) json["write_durations"] = json_of(*drive.write_durations);
  if (!drive.why.empty()) json["why"] = drive.why;
  if (drive.taken_back) json["taken_back"] = drive.taken_back;
  if (!drive.away.empty()) json["away"] = json_array(drive.away);
  if (drive.removed) json["removed"] = json_of(*drive.removed);
  return with_others(std::move(json), drive.others);
}

Json json_of(const ArchiveLine& archive) {
  Json json = {{"path", archive.path},
               {"state", archive.state},
               {"files", archive.files},
               {"packets", archive.packets},
               {"bytes", archive.bytes}};
  if (!archive.why.empty()) json["why"] = archive.why;
  return with_others(std::move(json), archive.others);
}

Json json_of(const LcoreLine& lcore) {
  Json json = {{"lcore", lcore.lcore},        {"role", lcore.role},   {"busy", lcore.busy},
               {"packets", lcore.packets},    {"waits", lcore.waits}, {"asleep_ns", lcore.asleep_ns},
               {"overslept", lcore.overslept}};
  if (!lcore.cycles.empty()) json["cycles"] = json_by_name(lcore.cycles);
  return with_others(std::move(json), lcore.others);
}

Json json_of(const OnSealLine& seal) {
  return with_others({{"done", seal.done}, {"failed", seal.failed}, {"pending", seal.pending}}, seal.others);
}

Json json_of(const FlowsLine& flows) {
  return with_others({{"packets", flows.packets},
                      {"not_ip", flows.not_ip},
                      {"open", flows.open},
                      {"ended", flows.ended},
                      {"full", flows.full},
                      {"lost", flows.lost},
                      {"lost_packets", flows.lost_packets},
                      {"written", flows.written},
                      {"written_packets", flows.written_packets},
                      {"unwritten", flows.unwritten},
                      {"files", flows.files}},
                     flows.others);
}

Json json_of(const ClockBound& clock) {
  return with_others({{"source", clock.source},
                      {"discipline", clock.discipline.empty() ? Json(nullptr) : Json(clock.discipline)},
                      {"error_ns", json_of(clock.error_ns)},
                      {"line_error_ns", json_of(clock.line_error_ns)},
                      {"kernel_max_error_ns", json_of(clock.kernel_max_error_ns)},
                      {"kernel_estimated_error_ns", json_of(clock.kernel_estimated_error_ns)},
                      {"longest_sleep_ns", clock.longest_sleep_ns}},
                     clock.others);
}

template <class Lines>
Json json_array(const Lines& lines) {
  Json array = Json::array();
  for (const auto& line : lines) array.push_back(json_of(line));
  return array;
}

Json json_of(const HolesLine& holes) {
  return with_others({{"count", holes.count},
                      {"total_ns", holes.total_ns},
                      {"longest_ns", holes.longest_ns},
                      {"open_ns", holes.open_ns},
                      {"latest", json_array(holes.latest)}},
                     holes.others);
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
  if (!port.queues.empty()) json["queues"] = json_array(port.queues);
  if (!port.peaks.empty()) json["peaks"] = json_array(port.peaks);
  if (port.holes) json["holes"] = json_of(*port.holes);
  return with_others(std::move(json), port.others);
}

// ---- decoding

Count count_if_any(JsonFields& fields, const char* name) {
  return fields.has(name) ? Count(fields.count(name)) : std::nullopt;
}

std::string text_if_any(JsonFields& fields, const char* name) {
  return fields.has(name) ? fields.text(name) : std::string();
}

void read(JsonFields& fields, QueueLine& queue) {
  queue.queue = fields.small_count("queue");
  queue.received = fields.count("received");
  queue.received_bytes = fields.count("received_bytes");
  queue.others = fields.others();
}

void read(JsonFields& fields, PeakLine& peak) {
  peak.window_ns = fields.count("window_ns");
  peak.packets = fields.count("packets");
  peak.bytes = fields.count("bytes");
  peak.others = fields.others();
}

void read(JsonFields& fields, HoleLine& hole) {
  hole.from = fields.time("from");
  hole.to = fields.time("to");
  hole.others = fields.others();
}

void read(JsonFields& fields, PortLine& port);

// Of a port or a drive.
template <typename Line>
void read_absence(JsonFields& fields, Line& line) {
  line.from = fields.time("from");
  line.to = fields.time_or_null("to");
  line.why = fields.text("why");
  line.others = fields.others();
}

void read(JsonFields& fields, GapLine& gap) {
  gap.port = fields.small_count("port");
  read_absence(fields, gap);
}

template <typename Line>
void read(std::vector<JsonFields> objects, std::vector<Line>& lines);

void read(JsonFields& fields, AwayLine& away) { read_absence(fields, away); }

void read(JsonFields& fields, Totals& totals) {
  totals.received = fields.count("received");
  totals.received_bytes = fields.count("received_bytes");
  const bool as_0_1_0 = !fields.has("ended_early");
  (as_0_1_0 ? totals.ended_early : totals.filtered) = fields.count("filtered");
  if (!as_0_1_0) totals.ended_early = fields.count("ended_early");
  totals.cut = count_if_any(fields, "cut").value_or(0);
  totals.stored = fields.count("stored");
  totals.stored_bytes = fields.count("stored_bytes");
  totals.sliced = count_if_any(fields, "sliced").value_or(0);
  totals.trimmed = fields.count("trimmed");
  totals.drop_handoff = fields.count("drop_handoff");
  totals.drop_drive = fields.count("drop_drive");
  totals.in_flight = fields.signed_count("in_flight");
  totals.lost = count_if_any(fields, "lost");
  totals.beyond_limit = fields.count("beyond_limit");
  totals.rehomed = fields.count("rehomed");
  totals.headers_only = count_if_any(fields, "headers_only");
  totals.others = fields.others();
}

void read(JsonFields& fields, StageLine& stage) {
  stage.stage = fields.text("stage");
  stage.unit = fields.text("unit");
  stage.in_flight = fields.signed_count("in_flight");
  stage.imbalance = fields.signed_count("imbalance");
  stage.where = text_if_any(fields, "where");
  stage.others = fields.others();
}

void read(JsonFields fields, WriteLatency& latency) {
  latency.p50 = fields.count("p50");
  latency.p99 = fields.count("p99");
  latency.max = fields.count("max");
  latency.others = fields.others();
}

void read(JsonFields fields, WriteDurations& durations) {
  durations.sum_ns = fields.count("sum_ns");
  durations.counts = fields.counts("counts");
  durations.others = fields.others();
}

void read(JsonFields fields, BlocksLine& blocks) {
  blocks.free = fields.count("free");
  blocks.open = fields.count("open");
  blocks.full = fields.count("full");
  blocks.others = fields.others();
}

void read(JsonFields fields, RemovedLine& removed) {
  removed.files = fields.count("files");
  removed.packets = fields.count("packets");
  removed.bytes = fields.count("bytes");
  removed.others = fields.others();
}

void read(JsonFields& fields, DriveLine& drive) {
  drive.path = fields.text("path");
  drive.state = fields.text("state");
  drive.why = text_if_any(fields, "why");
  drive.blocks = fields.count("blocks");
  drive.bytes = fields.count("bytes");
  drive.inflight = fields.count("inflight");
  drive.files = fields.count("files");
  drive.unsynced = fields.count("unsynced");
  drive.taken_back = count_if_any(fields, "taken_back").value_or(0);
  if (fields.has("away")) read(fields.objects("away"), drive.away);
  read(fields.object("write_latency_ns"), drive.write_latency_ns);
  if (fields.has("write_durations")) read(fields.object("write_durations"), drive.write_durations.emplace());
  if (fields.has("removed")) read(fields.object("removed"), drive.removed.emplace());
  drive.others = fields.others();
}

void read(JsonFields& fields, ArchiveLine& archive) {
  archive.path = fields.text("path");
  archive.state = fields.text("state");
  archive.why = text_if_any(fields, "why");
  archive.files = fields.count("files");
  archive.packets = fields.count("packets");
  archive.bytes = fields.count("bytes");
  archive.others = fields.others();
}

void read(JsonFields& fields, LcoreLine& lcore) {
  lcore.lcore = fields.small_count("lcore");
  lcore.role = fields.text("role");
  lcore.busy = fields.number("busy");
  lcore.packets = fields.count("packets");
  lcore.waits = fields.count("waits");
  lcore.asleep_ns = count_if_any(fields, "asleep_ns").value_or(0);
  lcore.overslept = count_if_any(fields, "overslept").value_or(0);
  if (fields.has("cycles")) lcore.cycles = fields.by_name<std::uint64_t>("cycles");
  lcore.others = fields.others();
}

void read(JsonFields fields, OnSealLine& seal) {
  seal.done = fields.count("done");
  seal.failed = fields.count("failed");
  seal.pending = fields.count("pending");
  seal.others = fields.others();
}

void read(JsonFields fields, FlowsLine& flows) {
  flows.packets = fields.count("packets");
  flows.not_ip = fields.count("not_ip");
  flows.open = fields.count("open");
  flows.ended = fields.count("ended");
  flows.full = fields.count("full");
  flows.lost = fields.count("lost");
  flows.lost_packets = fields.count("lost_packets");
  flows.written = fields.count("written");
  flows.written_packets = fields.count("written_packets");
  flows.unwritten = fields.count("unwritten");
  flows.files = fields.count("files");
  flows.others = fields.others();
}

void read(JsonFields fields, ClockBound& clock) {
  clock.source = fields.word("source");
  clock.discipline = fields.word_or_null("discipline");
  clock.error_ns = fields.count_or_null("error_ns");
  clock.line_error_ns = fields.count_or_null("line_error_ns");
  clock.kernel_max_error_ns = fields.count_or_null("kernel_max_error_ns");
  clock.kernel_estimated_error_ns = fields.count_or_null("kernel_estimated_error_ns");
  clock.longest_sleep_ns = count_if_any(fields, "longest_sleep_ns").value_or(0);
  clock.others = fields.others();
}

// Ends at the first line that is wrong.
template <class Line>
void read(std::vector<JsonFields> objects, std::vector<Line>& lines) {
  for (auto& fields : objects) {
    read(fields, lines.emplace_back());
    if (fields.any_problem()) return;
  }
}

void read(JsonFields fields, HolesLine& holes) {
  holes.count = fields.count("count");
  holes.total_ns = fields.count("total_ns");
  holes.longest_ns = fields.count("longest_ns");
  holes.open_ns = fields.count("open_ns");
  read(fields.objects("latest"), holes.latest);
  holes.others = fields.others();
}

void read(JsonFields& fields, PortLine& port) {
  port.port = fields.small_count("port");
  port.name = fields.text("name");
  port.received = fields.count("received");
  port.received_bytes = fields.count("received_bytes");
  port.nic_missed = fields.count_or_null("nic_missed");
  port.nic_errors = fields.count_or_null("nic_errors");
  port.no_mbuf = fields.count_or_null("no_mbuf");
  port.nic_other = count_if_any(fields, "nic_other");
  port.refills_failed = count_if_any(fields, "refills_failed");
  port.stamps_refused = count_if_any(fields, "stamps_refused");
  port.cut_by_driver = count_if_any(fields, "cut_by_driver");
  if (fields.has("not_counted")) port.not_counted = fields.by_name<std::string>("not_counted");
  port.stats_failed = fields.has("stats_failed") && fields.truth("stats_failed");
  if (fields.has("xstats")) port.xstats = fields.by_name<std::uint64_t>("xstats");
  if (fields.has("queues")) read(fields.objects("queues"), port.queues);
  if (fields.has("peaks")) read(fields.objects("peaks"), port.peaks);
  if (fields.has("holes")) read(fields.object("holes"), port.holes.emplace());
  port.others = fields.others();
}

}  // namespace

std::string encode_ledger_line(const LedgerLine& line) {
  Json json = {{"time", rfc3339(line.time)}, {"elapsed_ns", line.elapsed_ns}, {"final", line.final}};
  if (line.final || !line.ended_by.empty()) json["ended_by"] = line.ended_by;
  json["ports"] = json_array(line.ports);
  json["totals"] = json_of(line.totals);
  json["stages"] = json_array(line.stages);
  if (!line.imbalance.empty()) json["imbalance"] = line.imbalance;
  json["drives"] = json_array(line.drives);
  if (!line.archives.empty()) json["archives"] = json_array(line.archives);
  if (line.blocks) json["blocks"] = json_of(*line.blocks);
  json["lcores"] = json_array(line.lcores);
  if (line.clock) json["clock"] = json_of(*line.clock);
  if (!line.gaps.empty()) json["gaps"] = json_array(line.gaps);
  if (line.on_seal) json["on_seal"] = json_of(*line.on_seal);
  if (line.flows) json["flows"] = json_of(*line.flows);
  if (!line.unsaid.texts.empty()) json["unsaid"] = line.unsaid.texts;
  if (line.unsaid.more) json["unsaid_more"] = line.unsaid.more;
  if (line.lines_gone) json["lines_gone"] = line.lines_gone;
  return with_others(std::move(json), line.others).dump(-1, ' ', false, Json::error_handler_t::replace);
}

LedgerLine decode_ledger_line(JsonFields& fields) {
  LedgerLine line;
  line.time = fields.time("time");
  line.elapsed_ns = fields.count("elapsed_ns");
  line.final = fields.truth("final");
  if (line.final || fields.has("ended_by")) line.ended_by = fields.text("ended_by");
  read(fields.objects("ports"), line.ports);
  auto totals = fields.object("totals");
  read(totals, line.totals);
  if (fields.has("stages")) read(fields.objects("stages"), line.stages);
  line.imbalance = text_if_any(fields, "imbalance");
  read(fields.objects("drives"), line.drives);
  if (fields.has("archives")) read(fields.objects("archives"), line.archives);
  if (fields.has("blocks")) read(fields.object("blocks"), line.blocks.emplace());
  read(fields.objects("lcores"), line.lcores);
  if (fields.has("clock")) read(fields.object("clock"), line.clock.emplace());
  if (fields.has("gaps")) read(fields.objects("gaps"), line.gaps);
  if (fields.has("on_seal")) read(fields.object("on_seal"), line.on_seal.emplace());
  if (fields.has("flows")) read(fields.object("flows"), line.flows.emplace());
  if (fields.has("unsaid")) line.unsaid.texts = fields.texts("unsaid");
  line.unsaid.more = count_if_any(fields, "unsaid_more").value_or(0);
  line.lines_gone = count_if_any(fields, "lines_gone").value_or(0);
  line.others = fields.others();
  return line;
}

std::expected<LedgerLine, std::string> decode_ledger_line(std::string_view written) {
  JsonText text(written);
  JsonFields fields(text);
  auto line = decode_ledger_line(fields);
  if (!text.problem().empty()) return std::unexpected(text.problem());
  return line;
}

}  // namespace wirespool::format

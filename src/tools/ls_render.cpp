// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "format/printable.hpp"
#include "tools/ls.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::tools {

using Json = nlohmann::ordered_json;
using State = ListedCapture::State;

namespace {

const char* word(State state) {
  switch (state) {
    case State::ended:
      return "ended";
    case State::running:
      return "running";
    case State::cut_off:
      return "cut off";
    case State::unknown:
      return "unknown";
  }
  return "unknown";
}

// "2026-11-21T07:54:30.123456Z": microseconds are enough for people.
std::string short_time(Timestamp time) {
  if (time == Timestamp{}) return "-";
  const auto text = rfc3339(time);
  return text.substr(0, text.size() - 4) + "Z";
}

std::string duration(Timestamp from, Timestamp to) {
  return fmt::format("{:.3f} s", static_cast<double>(to.ns - std::min(from.ns, to.ns)) / 1e9);
}

std::string short_rate(double bits) {
  if (bits >= 1e9) return fmt::format("{:.2f} Gbit/s", bits / 1e9);
  if (bits >= 1e6) return fmt::format("{:.2f} Mbit/s", bits / 1e6);
  return fmt::format("{:.2f} kbit/s", bits / 1e3);
}

std::string words(const std::optional<stats::Losses>& losses) {
  if (!losses) return "  lost unknown";
  const auto counted = stats::counted_losses(*losses), unknown = stats::unknown_losses(*losses);
  return (counted.empty() ? "" : "  lost" + counted) + (unknown.empty() ? "" : "  unknown" + unknown);
}

// "  times +-1.203 ms": how far from UTC they may be.
std::string words(const std::optional<format::ClockBound>& clock) {
  if (!clock) return "";
  if (!clock->error_ns) return "  times +-unknown";
  const auto ns = static_cast<double>(*clock->error_ns);
  if (ns < 1e3) return fmt::format("  times +-{} ns", *clock->error_ns);
  if (ns < 1e6) return fmt::format("  times +-{:.3f} us", ns / 1e3);
  return ns < 1e9 ? fmt::format("  times +-{:.3f} ms", ns / 1e6) : fmt::format("  times +-{:.3f} s", ns / 1e9);
}

std::string file_line(const ListedFile& file) {
  const auto name = format::printable(std::filesystem::path(file.entry.path).filename().string());
  const auto directory = format::printable(file.entry.directory);
  const auto kept = std::string(file.pinned ? "  pinned" : "") + (file.entry.archived ? "  archived" : "");
  if (!file.counted) return fmt::format("  {}  -  {}  not counted{}\n", directory, name, kept);
  return fmt::format("  {}  {} +{}  {:>10} packets {:>13} bytes  {:>13}  {}{}{}{}\n", directory,
                     short_time(file.entry.first), duration(file.entry.first, file.entry.last), file.entry.packets,
                     file.entry.bytes, short_rate(file.bits_per_s()), name, kept, words(file.losses),
                     words(file.clock));
}

std::string capture_text(const ListedCapture& capture) {
  auto text = fmt::format("{} {}  {}{}  {} to {} ({})  {} files  {} packets  {} bytes  {}{}\n",
                          format::printable(capture.stem), short_time(capture.start), word(capture.state),
                          capture.ended_by.empty() ? "" : " by " + format::printable(capture.ended_by),
                          short_time(capture.first), short_time(capture.last), duration(capture.first, capture.last),
                          capture.files.size(), capture.packets, capture.bytes, short_rate(capture.bits_per_s()),
                          words(capture.losses));
  for (const auto& file : capture.files) text += file_line(file);
  for (const auto& gap : capture.gaps) {
    text += fmt::format("  no packet from {} to {} ({}){}\n", short_time(gap.from), short_time(gap.to),
                        duration(gap.from, gap.to), words(gap.losses));
  }
  return text;
}

std::string total_line(const LsReport& report) {
  std::uint64_t files = report.others.size(), packets = 0, bytes = 0, file_bytes = 0;
  for (const auto& capture : report.captures) {
    files += capture.files.size();
    packets += capture.packets;
    bytes += capture.bytes;
    file_bytes += capture.file_bytes;
  }
  for (const auto& file : report.others) {
    packets += file.entry.packets;
    bytes += file.entry.bytes;
    file_bytes += file.entry.file_bytes;
  }
  return fmt::format("{} captures, {} files of {} bytes, {} packets with {} bytes\n", report.captures.size(), files,
                     file_bytes, packets, bytes);
}

Json json_of(const stats::Loss& loss) { return loss.unknown ? Json(nullptr) : Json(loss.packets); }

// A cause that some port does not count is null; what the others counted of it is still in `lost`.
Json json_of(const std::optional<stats::Losses>& losses) {
  if (!losses) return nullptr;
  Json json = {{"nic_missed", json_of(losses->nic_missed)},
               {"nic_errors", json_of(losses->nic_errors)},
               {"no_mbuf", json_of(losses->no_mbuf)}};
  if (losses->nic_other.packets) json["nic_other"] = losses->nic_other.packets;
  if (losses->cut_by_driver.packets) json["cut_by_driver"] = losses->cut_by_driver.packets;
  json["drop_handoff"] = losses->drop_handoff;
  json["drop_drive"] = losses->drop_drive;
  json["lost"] = losses->sum();
  return json;
}

Json json_of(const std::optional<format::ClockBound>& clock) {
  if (!clock) return nullptr;
  return {{"source", clock->source},
          {"discipline", clock->discipline.empty() ? Json(nullptr) : Json(clock->discipline)},
          {"error_ns", clock->error_ns ? Json(*clock->error_ns) : Json(nullptr)}};
}

Json json_of(Timestamp time) { return time == Timestamp{} ? Json(nullptr) : Json(rfc3339(time)); }

const char* word(SpoolEntry::Index index) {
  return index == SpoolEntry::Index::flow ? "flow" : index == SpoolEntry::Index::time ? "time" : "none";
}

Json json_of(const ListedFile& file) {
  const auto& entry = file.entry;
  Json json = {{"path", entry.path},         {"directory", entry.directory}, {"file_bytes", entry.file_bytes},
               {"index", word(entry.index)}, {"pinned", file.pinned},        {"archived", entry.archived},
               {"counted", file.counted}};
  if (entry.named) {
    json["writer"] = entry.writer;
    json["sequence"] = entry.sequence;
  }
  if (!file.counted) return json;
  json["packets"] = entry.packets;
  json["bytes"] = entry.bytes;
  json["first"] = json_of(entry.first);
  json["last"] = json_of(entry.last);
  json["bits_per_second"] = file.bits_per_s();
  json["losses"] = json_of(file.losses);
  json["clock"] = json_of(file.clock);
  return json;
}

Json json_of(const ListedCapture& capture) {
  Json json = {{"name", capture.stem}, {"start", json_of(capture.start)}, {"state", word(capture.state)}};
  if (!capture.ended_by.empty()) json["ended_by"] = capture.ended_by;
  json["directories"] = capture.directories;
  json["packets"] = capture.packets;
  json["bytes"] = capture.bytes;
  json["file_bytes"] = capture.file_bytes;
  json["first"] = json_of(capture.first);
  json["last"] = json_of(capture.last);
  json["bits_per_second"] = capture.bits_per_s();
  json["losses"] = json_of(capture.losses);
  json["skipped_ledger_lines"] = capture.skipped_lines;
  json["uncounted_files"] = capture.uncounted;
  json["files"] = Json::array();
  for (const auto& file : capture.files) json["files"].push_back(json_of(file));
  json["gaps"] = Json::array();
  for (const auto& gap : capture.gaps) {
    json["gaps"].push_back({{"from", json_of(gap.from)}, {"to", json_of(gap.to)}, {"losses", json_of(gap.losses)}});
  }
  return json;
}

// Directories of the same number are on the same file system.
Json json_of(const std::vector<ListedDrive>& drives) {
  auto list = Json::array();
  std::vector<std::uint64_t> devices;
  for (const auto& [directory, file_system] : drives) {
    if (!file_system) {
      list.push_back(
          {{"directory", directory}, {"free_bytes", nullptr}, {"total_bytes", nullptr}, {"file_system", nullptr}});
      continue;
    }
    const auto known = std::ranges::find(devices, file_system->device);
    const auto number = known - devices.begin();
    if (known == devices.end()) devices.push_back(file_system->device);
    list.push_back({{"directory", directory},
                    {"free_bytes", file_system->free},
                    {"total_bytes", file_system->total},
                    {"file_system", number}});
  }
  return list;
}

}  // namespace

std::string render_table(const LsReport& report) {
  std::string text;
  for (const auto& capture : report.captures) text += capture_text(capture);
  for (const auto& file : report.others) text += file_line(file);
  return text + total_line(report);
}

std::string render_json(const LsReport& report) {
  Json json = {{"captures", Json::array()},
               {"drives", json_of(report.drives)},
               {"other_files", Json::array()},
               {"notices", report.notices}};
  for (const auto& capture : report.captures) json["captures"].push_back(json_of(capture));
  for (const auto& file : report.others) json["other_files"].push_back(json_of(file));
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace wirespool::tools

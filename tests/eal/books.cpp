// SPDX-License-Identifier: BSD-3-Clause
#include "books.hpp"

#include <algorithm>
#include <set>

#include "format/index_file.hpp"
#include "pcap_stream.hpp"
#include "support/outside_tools.hpp"
#include "support/pcap_bytes.hpp"
#include "support/spool_files.hpp"

namespace wirespool::test {
namespace fs = std::filesystem;
namespace {

std::uint64_t number(const Json& totals, const char* name) { return totals.at(name).get<std::uint64_t>(); }

std::string check_equation(const Json& line) {
  const auto& totals = line.at("totals");
  const auto in_flight = totals.at("in_flight").get<std::int64_t>();
  if (in_flight < 0) return "in_flight is negative: " + line.dump();
  const auto out = number(totals, "ended_early") + number(totals, "filtered") + number(totals, "cut") +
                   number(totals, "stored") + number(totals, "drop_handoff") + number(totals, "drop_drive") +
                   static_cast<std::uint64_t>(in_flight);
  if (out != number(totals, "received")) return "the books do not balance: " + line.dump();
  if (line.contains("imbalance")) return "the line says: " + line.at("imbalance").dump();
  for (const auto& stage : line.at("stages"))
    if (stage.at("imbalance") != 0) return "a stage misses something: " + line.dump();
  std::uint64_t ports = 0;
  for (const auto& port : line.at("ports")) ports += port.at("received").get<std::uint64_t>();
  // Ports and totals are read a moment apart while packets come in.
  return ports < number(totals, "received") ? "ports received less than the total: " + line.dump() : "";
}

std::string check_growth(const Json& before, const Json& after) {
  for (const auto& [name, value] : after.at("totals").items())
    if (name != "in_flight" && value < before.at("totals").at(name))
      return name + " went back from " + before.at("totals").at(name).dump() + " to " + value.dump();
  if (after.at("elapsed_ns") <= before.at("elapsed_ns")) return "elapsed_ns went back: " + after.dump();
  return "";
}

std::string check_final(const Json& line) {
  const auto& totals = line.at("totals");
  if (!line.value("final", false)) return "the last line is not final: " + line.dump();
  if (line.value("ended_by", "").empty()) return "the last line does not say what ended the capture";
  if (totals.at("in_flight") != 0) return "packets are in flight at the end: " + line.dump();
  for (const auto& stage : line.at("stages"))
    if (stage.at("in_flight") != 0) return "a stage still has something at the end: " + line.dump();
  std::uint64_t ports = 0;
  for (const auto& port : line.at("ports")) ports += port.at("received").get<std::uint64_t>();
  return ports == number(totals, "received") ? "" : "ports do not add up to the total: " + line.dump();
}

Json content(const fs::path& path) {
  const auto bytes = read_bytes(path);
  return Json::parse(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), nullptr, false);
}

std::vector<Json> lines_of(const fs::path& path) {
  const auto bytes = read_bytes(path);
  std::vector<Json> lines;
  std::istringstream stream(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line, nullptr, false));
  return lines;
}

std::string check_index(const fs::path& path) {
  auto index_path = path;
  index_path.replace_extension(".idx");
  if (!fs::exists(index_path)) return "";
  const auto index = format::decode_index(read_bytes(index_path));
  if (!index) return index_path.string() + ": " + format::to_string(index.error());
  std::uint64_t packets = 0, bytes = 0, started = 0;
  Timestamp first, last;
  for (PcapStream file(path); const auto packet = file.next(); ++packets) {
    if (packets == 0) first = packet->time;
    last = packet->time;
    bytes += packet->caplen();
  }
  for (const auto& entry : index->entries) started += entry.packets;
  const auto& header = index->header;
  if (header.packets != packets || header.bytes != bytes || started != packets)
    return index_path.string() + " counts " + std::to_string(header.packets) + " packets in all and " +
           std::to_string(started) + " by Block, the file has " + std::to_string(packets);
  if (header.file_bytes != fs::file_size(path)) return index_path.string() + " is of a file of another length";
  if (header.first != first || header.last != last) return index_path.string() + " has other times than the file";
  return "";
}

std::string first_complaint(std::initializer_list<std::string> answers) {
  for (const auto& answer : answers)
    if (!answer.empty()) return answer;
  return "";
}

}  // namespace

std::string check_ledger(const CaptureResult& result) {
  if (!result.not_json.empty()) return "stdout has a line that is not JSON: " + result.not_json;
  if (result.ledger.empty()) return "there is no ledger: " + result.describe();
  for (std::size_t i = 0; i < result.ledger.size(); ++i) {
    const auto& line = result.ledger[i];
    if (auto wrong = check_equation(line); !wrong.empty()) return wrong;
    if (i == 0) continue;
    if (auto wrong = check_growth(result.ledger[i - 1], line); !wrong.empty()) return wrong;
    if (result.ledger[i - 1].value("final", true)) return "a line follows the final one";
  }
  return check_final(result.last());
}

std::string check_directory(const fs::path& directory, const CaptureResult& result) {
  std::set<std::string> sealed, indexes;
  Paths plans, ledgers;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const auto name = entry.path().filename().string();
    if (name == "lost+found") continue;  // mkfs.ext4 made it
    if ((name.ends_with(".pcap") || name.ends_with(".pcapng")) && !name.starts_with('.'))
      sealed.insert(entry.path().stem());
    else if (name.ends_with(".idx"))
      indexes.insert(entry.path().stem());
    else if (name.ends_with(".capture.json"))
      plans.push_back(entry.path());
    else if (name.ends_with(".ledger.jsonl"))
      ledgers.push_back(entry.path());
    else
      return name + " was left behind";
  }
  if (sealed != indexes) return "not every file has its index in " + directory.string();
  if (plans.size() != 1 || ledgers.size() != 1) return "not one capture.json and one ledger.jsonl";
  if (content(plans[0]).value("ledger", Json()) != result.last()) return "capture.json has another final ledger";
  return lines_of(ledgers[0]) == result.ledger ? "" : "ledger.jsonl is not what stdout said";
}

std::string check_stored(const Paths& directories, const CaptureResult& result) {
  std::uint64_t packets = 0, bytes = 0;
  for (const auto& path : sealed_files(directories))
    for (PcapStream file(path); const auto packet = file.next(); ++packets) bytes += packet->caplen();
  if (packets == result.total("stored") && bytes == result.total("stored_bytes")) return "";
  return std::to_string(packets) + " packets of " + std::to_string(bytes) + " bytes on disk, stored are " +
         std::to_string(result.total("stored")) + " of " + std::to_string(result.total("stored_bytes"));
}

std::string check_indexes(const Paths& directories) {
  for (const auto& path : sealed_files(directories))
    if (auto wrong = check_index(path); !wrong.empty()) return wrong;
  return "";
}

std::string ask_outside(const Paths& directories, bool tshark_too) {
  for (const auto& path : sealed_files(directories)) {
    std::uint64_t packets = 0;
    for (PcapStream file(path); file.next();) ++packets;
    const auto capinfos = ask_capinfos(path);
    std::vector<OutsideOpinion> opinions{ask_tcpdump(path), capinfos};
    if (tshark_too) opinions.push_back(ask_tshark(path));
    for (const auto& opinion : opinions) {
      if (!opinion.understood) return path.string() + ": " + opinion.complaint;
      if (opinion.packets != packets)
        return path.string() + ": " + std::to_string(opinion.packets) + " packets, libpcap says " +
               std::to_string(packets);
    }
    if (!capinfos.nanoseconds || !capinfos.in_time_order) return path.string() + ": not nanoseconds in time order";
  }
  return "";
}

std::string check_capture(const CaptureResult& result, const Paths& directories) {
  if (!result.process.ok()) return result.describe();
  auto wrong = first_complaint({check_ledger(result), check_stored(directories, result), check_indexes(directories)});
  for (const auto& directory : directories)
    if (wrong.empty()) wrong = check_directory(directory, result);
  return wrong.empty() ? ask_outside(directories) : wrong;
}

}  // namespace wirespool::test

// SPDX-License-Identifier: BSD-3-Clause
#include "support/outside_tools.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "support/process.hpp"

namespace wirespool::test {
namespace {

constexpr Seconds patience(120);

// tcpdump says "reading from file ..." there, tshark as root that it should not be root: neither is about the file.
bool complains(const std::string& err) {
  for (const char* word :
       {"truncated dump", "cut short", "bad dump", "isn't a capture file", "damaged", "corrupt", "invalid"})
    if (err.find(word) != std::string::npos) return true;
  return false;
}

OutsideOpinion count_lines(const Command& command) {
  const auto result = run_process(command, patience);
  OutsideOpinion opinion;
  opinion.understood = result.ok() && !complains(result.err);
  opinion.packets = static_cast<std::uint64_t>(std::ranges::count(result.out, '\n'));
  if (!opinion.understood) opinion.complaint = result.err;
  return opinion;
}

// capinfos -T -m: a line of column names, a line of values, separated by commas.
std::vector<std::string> values_of(const std::string& table) {
  std::istringstream lines(table);
  std::string names, values, cell;
  std::getline(lines, names);
  std::getline(lines, values);
  std::vector<std::string> cells;
  for (std::istringstream row(values); std::getline(row, cell, ',');) cells.push_back(cell);
  return cells;
}

}  // namespace

OutsideOpinion ask_tcpdump(const std::filesystem::path& file) {
  // --count prints "N packets"; counting printed lines would not do, some protocols (LLDP) take several a packet.
  const auto result = run_process({"tcpdump", "-n", "--count", "-r", file.string()}, patience);
  OutsideOpinion opinion;
  opinion.understood = result.ok() && !complains(result.err);
  opinion.packets = std::strtoull(result.out.c_str(), nullptr, 10);
  if (!opinion.understood) opinion.complaint = result.err;
  return opinion;
}

OutsideOpinion ask_tshark(const std::filesystem::path& file) {
  return count_lines({"tshark", "-n", "-r", file.string(), "-T", "fields", "-e", "frame.number"});
}

// Of pcapng, each interface may count in its own unit.
static bool counts_nanoseconds(const std::filesystem::path& file) {
  return run_process({"capinfos", "-F", file.string()}, patience).out.find("nanoseconds (9)") != std::string::npos;
}

CapinfosOpinion ask_capinfos(const std::filesystem::path& file) {
  // -c packets, -d data bytes, -o in time order; table with commas, without quotes; file name and type come first.
  const auto result = run_process({"capinfos", "-T", "-m", "-M", "-t", "-c", "-d", "-o", file.string()}, patience);
  const auto cells = values_of(result.out);
  CapinfosOpinion opinion;
  opinion.understood = result.ok() && !complains(result.err) && cells.size() == 5;
  if (!opinion.understood) {
    opinion.complaint = result.describe();
    return opinion;
  }
  opinion.nanoseconds = cells[1] == "nsecpcap" || (cells[1] == "pcapng" && counts_nanoseconds(file));
  opinion.packets = std::strtoull(cells[2].c_str(), nullptr, 10);
  opinion.data_bytes = std::strtoull(cells[3].c_str(), nullptr, 10);
  opinion.in_time_order = cells[4] == "True";
  return opinion;
}

std::vector<std::string> missing_outside_tools() {
  std::vector<std::string> missing;
  for (const char* name : {"tcpdump", "tshark", "capinfos"})
    if (!have_program(name)) missing.emplace_back(name);
  return missing;
}

}  // namespace wirespool::test

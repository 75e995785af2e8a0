// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "format/file_name.hpp"
#include "spool/reading_rig.hpp"
#include "support/catch.hpp"
#include "support/ledger_samples.hpp"
#include "support/pcap_bytes.hpp"
#include "support/temp_dir.hpp"
#include "support/trace.hpp"
#include "wirespool/filter.hpp"

namespace wirespool::test {

using Names = std::set<std::string>;

inline Names names_in(const std::filesystem::path& directory) {
  Names names;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    names.insert(entry.path().filename().string());
  return names;
}

inline void touch(const std::filesystem::path& path) { std::ofstream(path) << "x"; }

// The packets that a pcap-filter(7) expression leaves, in their order.
inline Trace matching(const Trace& trace, const std::string& expression) {
  auto filter = Filter::compile(expression);
  REQUIRE(filter);
  Trace result;
  for (std::size_t i = 0; i < trace.size(); ++i)
    if (filter->matches({trace[i], 1, 0, {}})) result.append(trace[i]);
  return result;
}

// A directory with the files of one capture, which are to stay, to go or to be moved.
struct KeptCapture {
  static constexpr Timestamp start{1'767'225'600'000'000'000};  // before the trace's first packet
  static constexpr std::uint64_t second = 1'000'000'000;

  TempDir temp;
  std::filesystem::path directory = temp / "drive";
  Trace trace;
  std::vector<std::string> paths;  // oldest first

  explicit KeptCapture(Layout::Index index = Layout::Index::time, std::uint32_t packets = 1000) {
    std::filesystem::create_directory(directory);
    TraceSpec spec;
    spec.packets = packets;
    spec.start = Timestamp{start.ns + second};
    trace = make_trace(spec);
    Layout layout;
    layout.directories = {directory};
    layout.streams = 1;
    layout.index = index;
    paths = lay_out(trace, layout);
    std::ranges::sort(paths);
    REQUIRE(paths.size() > 6);
  }
  std::string name(std::size_t i) const { return std::filesystem::path(paths[i]).filename().string(); }
  bool has(std::size_t i) const { return std::filesystem::exists(paths[i]); }

  void write_plan() const {
    const auto ledger = format::encode_ledger_line(
        ledger_line(Timestamp{start.ns + 60 * second}, trace.size(), trace.bytes(), 0, true));
    const auto line = ledger + "\n";
    const auto json = capture_json({.drives = 1}, ledger);
    write_bytes(directory / format::capture_file_name("t", start), std::as_bytes(std::span(json)));
    write_bytes(directory / format::ledger_file_name("t", start), std::as_bytes(std::span(line)));
  }
};

}  // namespace wirespool::test

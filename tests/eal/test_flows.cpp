// SPDX-License-Identifier: BSD-3-Clause
// --cutoff and --flows, through the real program: what is kept and what is recorded is worked out anew by flows.py, a
// second program in another language, and read by ipfixDump, python3-ipfix and tshark.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/loop_drive.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"

using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t packets = 20'000;
constexpr int not_here = 77;  // flows.py: a program is missing

// python3-ipfix is a package of the system's python.
std::string python() { return fs::exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3"; }

ProcessResult flows_py(Command arguments) {
  arguments.insert(arguments.begin(), {python(), std::getenv("FLOWS_PY")});
  return run_process(arguments, Seconds(120));
}

// A trace of flows: at least `packets` of them.
fs::path make_flows(const Bench& bench, unsigned seed, bool fragments = false) {
  Command command{"make", bench.trace(), "--packets", std::to_string(packets), "--seed", std::to_string(seed)};
  if (fragments) command.emplace_back("--fragments");
  const auto made = flows_py(command);
  INFO(made.describe());
  REQUIRE(made.ok());
  return bench.trace();
}

std::uint64_t length_of(const fs::path& trace) {
  std::uint64_t count = 0;
  for (PcapStream stream(trace); stream.next();) ++count;
  return count;
}

Paths files_in(const fs::path& directory, const std::string& suffix, bool hidden = false) {
  Paths found;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with('.') == hidden && name.ends_with(suffix)) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

// "" if `verb` of flows.py is content with these files, else what it says.
std::string judge(const std::string& verb, const fs::path& trace, const Paths& files) {
  Command command{verb, trace};
  for (const auto& file : files) command.push_back(file);
  const auto judged = flows_py(command);
  if (judged.exit_code == not_here) {
    skip(verb, "the program it needs is not installed");
    return "";
  }
  return judged.ok() ? "" : judged.describe();
}

// Leaves no more than so many bytes of a file system, by ordinary writes: ext4 lets fallocate(2) have less than those.
void fill(const fs::path& directory, std::uint64_t left) {
  const auto filler = directory / "filler";
  std::ofstream file(filler);
  while (file << std::string(4096, 'x') << std::flush) continue;
  file.close();
  fs::resize_file(filler, fs::file_size(filler) - left);
  REQUIRE(run_process({"sync", "--file-system", directory}).ok());
}

struct FlowRun {
  CaptureResult result;
  Paths files;
};

FlowRun record_flows(const Bench& bench, const fs::path& trace, const std::string& format, Command more = {}) {
  const auto directory = bench.base / "flows";
  fs::create_directory(directory);
  Command options{"--flows", directory, "--flow-format", format, "--flow-table", "20000", "--block-size", "64KiB"};
  options.insert(options.end(), more.begin(), more.end());
  auto result = run_capture(
      {.vdevs = {replay_of({trace})}, .outputs = bench.outputs, .options = until_packets(length_of(trace), options)});
  return {std::move(result), files_in(directory, format == "json" ? ".jsonl" : ".ipfix")};
}

// Every packet of IP is in one record, and every record in a file.
void check_flow_books(const CaptureResult& result) {
  const auto& flows = result.last().at("flows");
  CHECK(flows.at("packets").get<std::uint64_t>() + flows.at("not_ip").get<std::uint64_t>() == result.total("received"));
  CHECK(flows.at("open") == 0);
  CHECK(flows.at("lost") == 0);
  CHECK(flows.at("unwritten") == 0);
  CHECK(flows.at("written") == flows.at("ended"));
  CHECK(flows.at("written_packets") == flows.at("packets"));
}

}  // namespace

TEST_CASE("--cutoff keeps the first bytes of each flow whole, and of the rest headers or nothing") {
  const auto then = GENERATE(values<std::string>({"headers", "nothing"}));
  const auto handoff = GENERATE(values<std::string>({"packets", "blocks"}));
  const auto [size, slice] = GENERATE(table<int, int>({{1, 0}, {3000, 0}, {3000, 60}}));
  CAPTURE(then, handoff, size, slice);
  const Bench bench;
  const auto trace = make_flows(bench, 1);
  const auto length = length_of(trace);
  Command options{"--cutoff", std::to_string(size), "--cutoff-then", then,           "--handoff",
                  handoff,    "--flow-table",       "20000",         "--block-size", "64KiB"};
  if (slice) options.insert(options.end(), {"--slice", std::to_string(slice)});
  const auto result =
      run_capture({.vdevs = {replay_of({trace})}, .outputs = bench.outputs, .options = until_packets(length, options)});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("received") == length);
  Command command{"cutoff", trace, std::to_string(size), then, std::to_string(slice)};
  for (const auto& file : sealed_files(bench.outputs)) command.push_back(file);
  const auto judged = flows_py(command);
  INFO(judged.describe());
  REQUIRE(judged.ok());
  std::istringstream counts(judged.out);
  std::uint64_t behind = 0, sliced = 0;
  counts >> behind >> sliced;
  CHECK(behind > 0);
  CHECK((sliced > 0) == (slice > 0));
  CHECK(result.total("sliced") == sliced);
  CHECK(result.total(then == "nothing" ? "cut" : "headers_only") == behind);
  CHECK(result.total(then == "nothing" ? "headers_only" : "cut") == 0);
}

TEST_CASE("records of flows in JSON have every packet, byte, flag and Community ID of the trace") {
  const bool fragments = GENERATE(false, true);
  const Bench bench;
  const auto trace = make_flows(bench, 2, fragments);
  const auto [result, files] = record_flows(bench, trace, "json");
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  check_flow_books(result);
  REQUIRE(files.size() == 1);
  CHECK(judge("json", trace, files) == "");
  if (!fragments) CHECK(judge("tshark", trace, files) == "");
  CHECK(compare_spool_in_order(trace, bench.outputs) == "");
}

TEST_CASE("records of flows in IPFIX are read by ipfixDump, python3-ipfix and tshark, and add up to the trace") {
  const Bench bench;
  const auto trace = make_flows(bench, 3);
  const auto [result, files] = record_flows(bench, trace, "ipfix");
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  check_flow_books(result);
  REQUIRE(files.size() == 1);
  for (const auto* reader : {"python-ipfix", "ipfixdump", "tshark-ipfix"}) CHECK(judge(reader, trace, files) == "");
}

TEST_CASE("flows are recorded without anything being stored") {
  const Bench bench(0);
  const auto trace = make_flows(bench, 4);
  const auto [result, files] = record_flows(bench, trace, "json", {"--until", "rx"});
  INFO(result.describe());
  CHECK(check_ledger(result) == "");
  check_flow_books(result);
  CHECK(judge("json", trace, files) == "");
}

TEST_CASE("a table that is too small ends flows early, and no packet is without a record") {
  const Bench bench;
  const auto trace = make_flows(bench, 5);
  const auto directory = bench.base / "flows";
  fs::create_directory(directory);
  // Each packet of a flow of its own, as addresses and ports are drawn from so many.
  write_trace({.kind = "60", .packets = 30'000, .flows = 20'000}, trace);
  const auto result = run_capture(
      {.vdevs = {replay_of({trace})},
       .outputs = bench.outputs,
       .options = until_packets(30'000, {"--flows", directory, "--flow-format", "json", "--flow-table", "1024"})});
  INFO(result.describe());
  CHECK(check_capture(result, bench.outputs) == "");
  check_flow_books(result);
  CHECK(result.last().at("flows").at("full") > 0);
  CHECK(judge("json", trace, files_in(directory, ".jsonl")) == "");
}

TEST_CASE("at the stop a hundred thousand open records are written in time") {
  const Bench bench(0);
  const auto directory = bench.base / "flows";
  fs::create_directory(directory);
  constexpr std::uint64_t many = 100'000;
  write_trace({.kind = "60", .packets = many, .flows = 1'000'000}, bench.trace());
  const auto result = run_capture(
      {.vdevs = {replay_of({bench.trace()})},
       .outputs = {},
       .options = until_packets(many, {"--until", "rx", "--flows", directory, "--flow-table", "131072", "--flow-idle",
                                       "1h", "--flow-active", "1h", "--stop-timeout", "10s"})});
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  check_flow_books(result);
  CHECK(result.last().at("flows").at("written") > 90'000);
  CHECK(files_in(directory, ".ipfix").size() == 1);
}

TEST_CASE("files of flow records are rotated, sealed and named as those of the capture") {
  const auto format = GENERATE(values<std::string>({"json", "ipfix"}));
  const Bench bench;
  const auto trace = make_flows(bench, 6);
  const auto [result, files] = record_flows(bench, trace, format, {"--rotate-size", "64KiB", "--flush-age", "1ms"});
  INFO(result.describe());
  check_flow_books(result);
  CHECK(files.size() == result.last().at("flows").at("files"));
  CHECK(files_in(bench.base / "flows", ".open", true).empty());
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto name = files[i].filename().string();
    CHECK(name.starts_with("wirespool-20"));
    CHECK(name.find("Z-f00-0000") != std::string::npos);
  }
  CHECK(judge(format == "json" ? "json" : "python-ipfix", trace, files) == "");
}

TEST_CASE("flow records in an output directory are in no reader's way") {
  const Bench bench;
  const auto trace = make_flows(bench, 8);
  const auto result =
      run_capture({.vdevs = {replay_of({trace})},
                   .outputs = bench.outputs,
                   .options = until_packets(length_of(trace), {"--flows", bench.outputs[0], "--flow-table", "20000"})});
  INFO(result.describe());
  CHECK(result.process.ok());
  check_flow_books(result);
  CHECK(files_in(bench.outputs[0], ".ipfix").size() == 1);
  for (const auto* verb : {"ls", "verify", "repair"}) {
    const auto read = run_process({wirespool_program(), verb, bench.outputs[0]});
    INFO(read.describe());
    CHECK(read.ok());
  }
  CHECK(files_in(bench.outputs[0], ".ipfix").size() == 1);
}

TEST_CASE("records of flows that a full drive does not take are counted, and the exit code is 3") {
  if (const auto missing = LoopDrive::missing()) return skip("loop drives", *missing);
  const Bench bench;
  const auto trace = make_flows(bench, 7);
  LoopDrive drive({.bytes = 8u << 20});
  fill(drive.path(), 128 << 10);
  const auto result =
      run_capture({.vdevs = {replay_of({trace})},
                   .outputs = bench.outputs,
                   .options = until_packets(length_of(trace), {"--flows", drive.path(), "--flow-format", "json",
                                                               "--flow-table", "20000", "--block-size", "64KiB"})});
  INFO(result.describe());
  const auto& flows = result.last().at("flows");
  CHECK(flows.at("unwritten") > 0);
  CHECK(flows.at("written").get<std::uint64_t>() + flows.at("unwritten").get<std::uint64_t>() == flows.at("ended"));
  CHECK(result.process.exit_code == 3);
  CHECK(result.process.err.find("wirespool: --flows: ") != std::string::npos);
  CHECK(compare_spool_in_order(trace, bench.outputs) == "");  // the packets are all there
}

TEST_CASE("a directory for flows that is not there, and options that say nothing, are refused at once") {
  const Bench bench;
  write_trace({.packets = 100}, bench.trace());
  const auto refused = [&](const Command& options) {
    return run_capture({.vdevs = {replay_of({bench.trace()})}, .outputs = bench.outputs, .options = options});
  };
  const auto gone = refused({"--flows", bench.base / "nowhere"});
  CHECK(gone.process.exit_code == 2);
  CHECK(gone.process.err.find("wirespool: --flows: ") != std::string::npos);
  for (const Command& options : {Command{"--flow-format", "json"}, Command{"--cutoff-then", "nothing"},
                                 Command{"--flow-idle", "1s"}, Command{"--flow-table", "2048"}})
    CHECK(refused(options).process.exit_code == 1);
  CHECK(sealed_files(bench.outputs).empty());
}

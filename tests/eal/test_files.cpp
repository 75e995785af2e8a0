// SPDX-License-Identifier: BSD-3-Clause
// Files while a capture runs: what can be read when, and that what has its final name is final.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "frame_sender.hpp"
#include "nic_run.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/outside_tools.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"

using namespace wirespool::test;

namespace {

bool skip_without_network() {
  const auto why = why_no_network();
  if (!why.empty()) skip("net_af_packet", why);
  return !why.empty();
}

// The file a capture is writing; empty if there is none, or several with packets.
std::filesystem::path open_file(const Paths& directories) {
  std::filesystem::path found;
  for (const auto& path : hidden_files(directories)) {
    if (path.extension() == ".lock" || ask_tcpdump(path).packets == 0) continue;
    if (!found.empty()) return {};
    found = path;
  }
  return found;
}

ProcessResult ask_wirespool(const std::string& command, const Paths& directories, Command more = {}) {
  Command words{wirespool_program(), command};
  for (const auto& path : directories) words.push_back(path.string());
  words.insert(words.end(), more.begin(), more.end());
  return run_process(words);
}

void write_text(const std::filesystem::path& path, const std::string& text) { std::ofstream(path) << text; }

void change_byte(const std::filesystem::path& path, std::uintmax_t offset) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  const auto byte = file.get();
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte ^ 1));
  REQUIRE(file.flush());
}

// A capture of one end of a veth pair, frames go in at the other.
struct VethCapture {
  NetNamespace where;
  VethPair veth{&where};
  LiveCapture capture;

  VethCapture(const Bench& bench, Command options)
      : capture({.vdevs = {"net_af_packet0,iface=" + veth.right()},
                 .outputs = bench.outputs,
                 .options = with_fast_ledger(std::move(options)),
                 .inside = &where}) {
    REQUIRE(capture.wait_until_running());
  }
  void send(std::uint64_t packets) {
    REQUIRE(send_windowed({&where, veth.left()}, make_trace({.kind = "imix", .packets = packets}), capture));
  }

 private:
  static Command with_fast_ledger(Command options) {
    options.insert(options.end(), {"--stats-interval", "10ms"});
    return options;
  }
};

}  // namespace

TEST_CASE("packets on an idle link can be read after --flush-age, while the capture runs") {
  if (skip_without_network()) return;
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  const auto io = GENERATE(values({"uring", "pwrite"}));
  CAPTURE(handoff, io);
  const Bench bench(2);
  VethCapture live(bench, {"--flush-age", "50ms", "--handoff", handoff, "--io", io});
  live.send(3);
  REQUIRE(live.capture.wait_for_total("stored", 3, Seconds(20)));
  CHECK(ask_tcpdump(open_file(bench.outputs)).packets == 3);
  live.send(2);
  REQUIRE(live.capture.wait_for_total("stored", 5, Seconds(20)));
  CHECK(ask_tcpdump(open_file(bench.outputs)).packets == 5);
  CHECK(check_capture(live.capture.stop(), bench.outputs) == "");
}

TEST_CASE("a killed capture leaves what it had flushed in a file that can be read") {
  if (skip_without_network()) return;
  const Bench bench;
  VethCapture live(bench, {"--flush-age", "50ms"});
  live.send(4);
  REQUIRE(live.capture.wait_for_total("stored", 4, Seconds(20)));
  live.capture.stop(SIGKILL);
  const auto left = open_file(bench.outputs);
  CHECK(left.filename().string().ends_with(".open"));
  const auto opinion = ask_capinfos(left);
  CHECK(opinion.complaint == "");
  CHECK(opinion.packets == 4);
}

TEST_CASE("after a kill the same directory and name can be captured into again") {
  if (skip_without_network()) return;
  const Bench bench;
  {
    VethCapture live(bench, {});
    live.capture.stop(SIGKILL);
  }
  VethCapture again(bench, {});
  again.send(5);
  const auto result = again.capture.stop();
  INFO(result.describe());
  CHECK(result.process.ok());
  CHECK(check_stored(bench.outputs, result) == "");
}

TEST_CASE("a file with its final name is whole, and never changes") {
  const Bench bench(2);
  write_trace({.kind = "imix", .packets = 1'000}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()}, true)},
                       .outputs = bench.outputs,
                       .options = {"--rotate-size", "2MiB", "--block-size", "64KiB", "--packets", "500000"}});
  std::map<std::filesystem::path, std::uint64_t> seen;  // their packets
  while (capture.process().running()) {
    for (const auto& path : sealed_files(bench.outputs)) {
      if (seen.contains(path)) continue;
      const auto opinion = ask_capinfos(path);
      REQUIRE(opinion.complaint == "");
      CHECK(opinion.packets > 0);
      seen[path] = opinion.packets;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const auto result = capture.wait();
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(seen.size() > 5);
  for (const auto& [path, packets] : seen) CHECK(ask_capinfos(path).packets == packets);
}

TEST_CASE("no file grows beyond --rotate-size, and all together hold everything") {
  const auto block_size = GENERATE(values({"4KiB", "64KiB", "1MiB"}));
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(block_size, handoff);
  const Bench bench(2);
  write_trace({.kind = "mixed", .packets = 40'000}, bench.trace());
  const auto result = run_capture(
      {.vdevs = {replay_of({bench.trace()})},
       .outputs = bench.outputs,
       .options = until_packets(40'000, {"--rotate-size", "1MiB", "--block-size", block_size, "--handoff", handoff})});
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(compare_spool_in_order(bench.trace(), bench.outputs) == "");
  const auto files = sealed_files(bench.outputs);
  CHECK(files.size() >= 14);
  // A record that begins in the last Block may end behind it.
  for (const auto& file : files) CHECK(std::filesystem::file_size(file) <= (1u << 20) + 1518 + 16);
}

TEST_CASE("a file ends at --rotate-age though nothing more comes") {
  if (skip_without_network()) return;
  const Bench bench;
  VethCapture live(bench, {"--rotate-age", "100ms", "--flush-age", "20ms"});
  for (unsigned round = 1; round <= 3; ++round) {
    live.send(2);
    for (unsigned tries = 0; sealed_files(bench.outputs).size() < round && tries < 2'000; ++tries)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    REQUIRE(sealed_files(bench.outputs).size() == round);
  }
  const auto result = live.capture.stop();
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == 6);
}

TEST_CASE("a byte that was changed since is found in what a capture sealed, by verify and by sha256sum") {
  const auto handoff = GENERATE(values({"packets", "blocks"}));
  CAPTURE(handoff);
  const Bench bench(2);
  write_trace({.kind = "mixed", .packets = 40'000}, bench.trace());
  const auto result = run_capture(
      {.vdevs = {replay_of({bench.trace()})},
       .outputs = bench.outputs,
       .options = until_packets(40'000, {"--rotate-size", "2MiB", "--block-size", "64KiB", "--handoff", handoff})});
  CHECK(check_capture(result, bench.outputs) == "");
  const auto verified = ask_wirespool("verify", bench.outputs);
  INFO(verified.describe());
  CHECK(verified.exit_code == 0);
  CHECK(verified.out.find("have no checksum") == std::string::npos);
  const auto manifest = bench.base / "capture.sha256";
  write_text(manifest, ask_wirespool("manifest", bench.outputs).out);
  CHECK(run_process({"sha256sum", "--check", "--strict", "--quiet", manifest.string()}).exit_code == 0);

  const auto path = sealed_files(bench.outputs).at(1);
  change_byte(path, std::filesystem::file_size(path) - 30);  // of a packet's payload: every tool reads it all the same
  CHECK(ask_tshark(path).complaint == "");
  const auto found = ask_wirespool("verify", bench.outputs);
  INFO(found.describe());
  CHECK(found.exit_code == 1);
  CHECK(found.out.find(path.string() + ": the Block of bytes ") != std::string::npos);
  CHECK(found.out.find("1 problems") != std::string::npos);
  const auto checked = run_process({"sha256sum", "--check", "--strict", "--quiet", manifest.string()});
  CHECK(checked.exit_code == 1);
  CHECK(checked.out == path.string() + ": FAILED\n");
}

TEST_CASE("with --checksum off verify says how many Blocks have none, and finds nothing else wrong") {
  const Bench bench;
  write_trace({.kind = "mixed", .packets = 5'000}, bench.trace());
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()})},
                                   .outputs = bench.outputs,
                                   .options = until_packets(5'000, {"--checksum", "off"})});
  CHECK(check_capture(result, bench.outputs) == "");
  const auto verified = ask_wirespool("verify", bench.outputs);
  INFO(verified.describe());
  CHECK(verified.exit_code == 0);
  CHECK(verified.out.find(" Blocks of 1 files have no checksum") != std::string::npos);
}

TEST_CASE("ls tells of each file how far its times may be from UTC, as its index has it") {
  const Bench bench;
  write_trace({.kind = "60", .packets = 1'000}, bench.trace());
  const auto result = run_capture(
      {.vdevs = {replay_of({bench.trace()})}, .outputs = bench.outputs, .options = {"--idle-exit", "500ms"}});
  CHECK(result.process.ok());
  for (const auto& entry : std::filesystem::directory_iterator(bench.outputs[0]))
    if (entry.path().extension() == ".jsonl") std::filesystem::remove(entry.path());  // the ledger says it too
  const auto listed = Json::parse(ask_wirespool("ls", bench.outputs, {"--json"}).out);
  const auto& file = listed.at("captures").at(0).at("files").at(0);
  const auto clock = result.last().at("clock");  // whether somebody keeps this machine's clock is not ours to say
  INFO(file.dump());
  CHECK(file.at("clock").at("source") == "tsc");
  CHECK(file.at("clock").at("discipline") == clock.at("discipline"));
  CHECK(file.at("clock").at("error_ns").is_null() == clock.at("error_ns").is_null());
}

namespace {

bool has_file_ending_in(const Bench& bench, const std::string& end) {
  for (const auto& entry : std::filesystem::directory_iterator(bench.outputs[0]))
    if (entry.path().string().ends_with(end)) return true;
  return false;
}

// Stops the process of a capture when it has sealed files, an open one, and its ledger with the capture.json that is
// written next: there are moments at the start, and between two files, when one of them is not there. False: it never
// had them all.
bool stop_halfway(LiveCapture& capture, const Bench& bench) {
  constexpr auto moment = std::chrono::milliseconds(5);  // until all its threads have stopped
  for (unsigned tries = 0; tries < 1'000; ++tries) {
    capture.process().send_signal(SIGSTOP);
    std::this_thread::sleep_for(moment);
    if (sealed_files(bench.outputs).size() >= 2 && has_file_ending_in(bench, ".pcap.open") &&
        has_file_ending_in(bench, ".capture.json"))
      return true;
    capture.process().send_signal(SIGCONT);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

TEST_CASE("a manifest of a running capture has what is sealed, and names what is left out") {
  const Bench bench;
  write_trace({.kind = "imix", .packets = 1'000}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()}, true)},
                       .outputs = bench.outputs,
                       .options = {"--rotate-size", "2MiB", "--block-size", "64KiB", "--packets", "2000000"}});
  REQUIRE(capture.wait_until_running());
  REQUIRE(stop_halfway(capture, bench));
  const auto manifest = ask_wirespool("manifest", bench.outputs);
  capture.process().send_signal(SIGCONT);
  INFO(manifest.describe());
  CHECK(manifest.out.find(".pcap.open: it is being written") != std::string::npos);
  CHECK(manifest.out.find(".ledger.jsonl: its capture is running") != std::string::npos);
  CHECK(manifest.err.find(".pcap.open: it is being written: left out") != std::string::npos);
  CHECK(capture.stop().process.ok());
  const auto kept = bench.base / "kept";
  write_text(kept, manifest.out);
  CHECK(run_process({"sha256sum", "--check", "--strict", "--quiet", kept.string()}).exit_code == 0);
}

TEST_CASE("a capture without an index leaves none") {
  const Bench bench;
  write_trace({.kind = "60", .packets = 1'000}, bench.trace());
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()})},
                                   .outputs = bench.outputs,
                                   .options = until_packets(1'000, {"--index", "off"})});
  CHECK(result.process.ok());
  CHECK(check_stored(bench.outputs, result) == "");
  for (const auto& entry : std::filesystem::directory_iterator(bench.outputs[0]))
    CHECK(entry.path().extension() != ".idx");
}

TEST_CASE("where the kernel refuses io_uring, pwrite writes, and both the screen and the kept plan say so") {
  const Bench bench;
  write_trace({.kind = "imix", .packets = 3'000}, bench.trace());
  const char* const without = std::getenv("WITHOUT_IO_URING");
  REQUIRE(without != nullptr);
  const auto result = run_capture({.vdevs = {replay_of({bench.trace()})},
                                   .outputs = bench.outputs,
                                   .options = {"--idle-exit", "500ms"},
                                   .under = {without}});
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(result.total("stored") == 3'000);
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK_THAT(result.process.err, Catch::Contains("io_uring is not to be had (") && Catch::Contains("Operation not") &&
                                     Catch::Contains("--io pwrite") && !Catch::Contains("--io uring"));
  CHECK(kept_plan(bench).at("io") == "pwrite");
  const Bench other;
  write_trace({.kind = "imix", .packets = 3'000}, other.trace());
  const auto allowed = run_capture(
      {.vdevs = {replay_of({other.trace()})}, .outputs = other.outputs, .options = {"--idle-exit", "500ms"}});
  const bool here = allowed.process.err.find("io_uring is not to be had") == std::string::npos;
  CHECK(kept_plan(other).at("io") == (here ? "uring" : "pwrite"));
}

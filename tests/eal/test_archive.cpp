// SPDX-License-Identifier: BSD-3-Clause
// Sealed files that a running capture moves into archives while its drives are calm.
#include <algorithm>
#include <functional>
#include <map>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/loop_drive.hpp"
#include "support/outside_tools.hpp"
#include "support/skip.hpp"
#include "support/spool_files.hpp"

using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t packets = 20'000;
const Command small_files = {"--rotate-size", "1MiB",  "--block-size", "64KiB", "--rotate-age",     "1s",
                             "--flush-age",   "100ms", "--idle-exit",  "100s",  "--stats-interval", "200ms"};

Command with(Command options, const Command& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

bool within(Seconds time, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!done() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return done();
}

std::size_t packets_in(const Paths& directories) {
  std::size_t count = 0;
  for (const auto& file : read_sealed_files(directories)) count += file.packets.size();
  return count;
}

// Until every packet is in a sealed file; the link is silent from then on.
bool all_sealed(LiveCapture& capture, const Paths& outputs) {
  return capture.wait_for_total("stored", packets) &&
         within(Seconds(20), [&] { return packets_in(outputs) == packets; });
}

Json archive(const LiveCapture& capture) { return capture.newest().at("archives").at(0); }

// By name, as sha256sum(1) says.
std::map<std::string, std::string> sums_of(const Paths& files) {
  Command command{"sha256sum"};
  for (const auto& file : files) command.push_back(file.string());
  const auto result = run_process(command);
  REQUIRE(result.ok());
  std::map<std::string, std::string> sums;
  std::istringstream lines(result.out);
  for (std::string sum, path; lines >> sum >> path;) sums[fs::path(path).filename()] = sum;
  return sums;
}

Paths files_below(const fs::path& directory, const std::string& ending) {
  Paths files;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.path().extension() == ending) files.push_back(entry.path());
  return files;
}

ProcessResult ask(Command command, const Paths& outputs, const Command& more = {}) {
  command.insert(command.begin(), wirespool_program());
  for (const auto& output : outputs) command.push_back(output.string());
  return run_process(with(command, more));
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace

TEST_CASE(
    "once the link is silent all sealed files move into the archive, and every command finds them from the drives") {
  const Bench bench(2);
  const auto slow = bench.base / "slow";
  fs::create_directory(slow);
  write_trace({.kind = "mixed", .packets = packets}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()})},
                       .outputs = bench.outputs,
                       .options = with(small_files, {"--archive", slow.string()})});
  REQUIRE(all_sealed(capture, bench.outputs));
  const auto sealed = sealed_files(bench.outputs);
  REQUIRE(sealed.size() > 4);
  const auto pinned = sealed[3];
  REQUIRE(run_process({"touch", pinned.string() + ".keep"}).ok());
  CHECK(files_below(slow, ".pcap").empty());  // it is not 10 s yet
  const auto before = sums_of(sealed);
  const auto first = bench.base / "before.pcap", second = bench.base / "after.pcap";
  REQUIRE(ask({"extract", "-w", first}, bench.outputs).exit_code == 0);

  CHECK(within(Seconds(60), [&] { return archive(capture).at("files") == sealed.size() - 1; }));
  const auto result = capture.stop();
  INFO(result.describe());
  REQUIRE(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  CHECK(count_of(result.process.err, "archive:") == 0);
  CHECK(result.last().at("archives").at(0).at("state") == "ok");
  CHECK(sealed_files(bench.outputs) == Paths{pinned});
  CHECK(fs::exists(pinned.string() + ".keep"));
  auto there = files_below(slow, ".pcap");
  CHECK(files_below(slow, ".idx").size() == there.size());
  there.push_back(pinned);
  CHECK(sums_of(there) == before);

  CHECK(ask({"extract", "-w", second}, bench.outputs).exit_code == 0);
  CHECK(run_process({"cmp", first, second}).ok());
  CHECK(ask_capinfos(second).packets == packets);
  CHECK(ask_capinfos(second).in_time_order);
  CHECK(ask_tshark(second).packets == packets);
  const auto verified = ask({"verify"}, bench.outputs);
  INFO(verified.describe());
  CHECK(verified.exit_code == 0);
  CHECK(count_of(ask({"ls"}, bench.outputs).out, "  archived") == sealed.size() - 1);
  const auto manifest = bench.base / "manifest";
  REQUIRE(run_process({"sh", "-c", "\"$0\" manifest \"$1\" \"$2\" > \"$3\"", wirespool_program(), bench.outputs[0],
                       bench.outputs[1], manifest})
              .ok());
  CHECK(run_process({"sha256sum", "--check", "--quiet", manifest}).ok());
  CHECK(ask({"index", "--again"}, bench.outputs).exit_code == 0);
  CHECK(ask({"verify"}, bench.outputs).exit_code == 0);

  fs::rename(slow, bench.base / "elsewhere");
  const auto without = ask({"verify"}, bench.outputs);
  CHECK(without.exit_code == 1);
  CHECK_THAT(without.out, Catch::Contains("mount the archive"));
  const auto partial = ask({"extract", "-w", bench.base / "partial.pcap"}, bench.outputs);
  CHECK(partial.exit_code == 1);
  CHECK(count_of(partial.err, "mount the archive") == bench.outputs.size());  // a line for each drive's place
}

TEST_CASE(
    "an archive that gets full is told once, what it has no room for stays on the drive, and the capture goes on") {
  if (const auto missing = LoopDrive::missing()) return skip("loop drives", *missing);
  const Bench bench;
  LoopDrive slow({.bytes = 32 << 20});
  slow.leave_free((5 << 20) + (512 << 10));  // four files of 1 MiB and what is kept free
  write_trace({.kind = "mixed", .packets = packets}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()})},
                       .outputs = bench.outputs,
                       .options = with(small_files, {"--archive", slow.path()})});
  REQUIRE(all_sealed(capture, bench.outputs));
  CHECK(within(Seconds(60), [&] { return archive(capture).at("state") == "full"; }));
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(check_ledger(result) == "");
  CHECK(count_of(result.process.err, "sealed files stay on the drives") == 1);
  const auto moved = files_below(slow.path(), ".pcap").size();
  CHECK(moved > 0);
  CHECK(moved == result.last().at("archives").at(0).at("files"));
  CHECK(sealed_files(bench.outputs).size() > 4);
  const auto verified = ask({"verify"}, bench.outputs);
  INFO(verified.describe());
  CHECK(verified.exit_code == 0);
}

TEST_CASE(
    "an archive that is unmounted under the capture is not written past, and takes files when it is mounted again") {
  if (const auto missing = LoopDrive::missing()) return skip("loop drives", *missing);
  const Bench bench;
  const LoopDrive slow({.bytes = 128 << 20});
  write_trace({.kind = "mixed", .packets = packets}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()})},
                       .outputs = bench.outputs,
                       .options = with(small_files, {"--archive", slow.path()})});
  REQUIRE(all_sealed(capture, bench.outputs));
  const auto sealed = sealed_files(bench.outputs);
  REQUIRE(run_process({"umount", slow.path()}).ok());
  CHECK(within(Seconds(60), [&] { return archive(capture).at("state") == "failed"; }));
  CHECK(fs::is_empty(slow.path()));
  CHECK(sealed_files(bench.outputs) == sealed);
  REQUIRE(run_process({"mount", slow.device(), slow.path()}).ok());
  CHECK(within(Seconds(60), [&] { return archive(capture).at("files") == sealed.size(); }));
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(result.process.exit_code == 0);
  CHECK(count_of(result.process.err, "it is not mounted") == 1);
  CHECK(count_of(result.process.err, "takes files again") == 1);
  CHECK(sealed_files(bench.outputs).empty());
  CHECK(ask({"verify"}, bench.outputs).exit_code == 0);
}

TEST_CASE("a directory that cannot be an archive is refused before anything starts") {
  const Bench bench;
  const auto refused = [&](const std::string& archive) {
    return run_capture(
        {.vdevs = {"net_null0"}, .outputs = bench.outputs, .options = {"--archive", archive, "--duration", "1s"}});
  };
  const auto none = refused(bench.base / "none");
  CHECK(none.process.exit_code == 2);
  CHECK_THAT(none.process.err, Catch::Contains("wirespool: --archive: ") && Catch::Contains("No such file"));
  const auto same = refused(bench.outputs[0]);
  CHECK(same.process.exit_code == 1);
  CHECK_THAT(same.process.err, Catch::Contains("is an --output as well"));
  const auto linked = bench.base / "linked";
  fs::create_directory_symlink(bench.outputs[0], linked);
  CHECK(refused(linked).process.exit_code == 1);
}

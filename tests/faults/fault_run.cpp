// SPDX-License-Identifier: BSD-3-Clause
#include "faults/fault_run.hpp"

#include <chrono>
#include <csignal>

#include "eal/bench.hpp"
#include "eal/books.hpp"
#include "eal/frame_sender.hpp"
#include "faults/fault.hpp"
#include "support/wait_until.hpp"

namespace wirespool::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t mib = 1 << 20;
constexpr std::size_t ahead = 256;  // of what was received: fewer than the socket's ring holds
constexpr int patience = 30;        // seconds
constexpr double stop_timeout = 10, stop_slack = 3;

std::size_t frames_of(const Row& row) { return row.rate == "500" ? 1'500 : row.rate == "10000" ? 12'000 : 20'000; }

Json drive_line(const LiveCapture& capture, std::size_t drive) {
  const auto line = capture.newest();
  return line.is_object() ? line.at("drives").at(drive) : Json();
}

void take_books(const CaptureResult& result, Outcome& outcome) {
  const auto& totals = result.last().at("totals");
  outcome.received = totals.at("received");
  outcome.stored = totals.at("stored");
  for (const char* cause : {"drop_handoff", "drop_drive"})
    if (totals.at(cause) != 0) outcome.lost[cause] = totals.at(cause);
  for (const auto& port : result.last().at("ports"))
    for (const char* cause : {"nic_missed", "nic_errors", "no_mbuf"})
      if (port.at(cause).is_number() && port.at(cause) != 0) outcome.lost[cause] = port.at(cause);
  for (const auto& drive : result.last().at("drives")) outcome.unsynced += drive.at("unsynced").get<std::uint64_t>();
  std::uint64_t lost = 0;
  for (const auto& [cause, packets] : outcome.lost.items()) lost += packets.get<std::uint64_t>();
  outcome.unaccounted = static_cast<std::int64_t>(outcome.sent) - static_cast<std::int64_t>(outcome.stored + lost);
}

Command options_of(const Row& row) {
  return {"--handoff",        row.handoff, "--io",           row.io, "--flush-age", row.flush_age,
          "--block-size",     "64KiB",     "--rotate-size",  "1MiB", "--sync-age",  "20ms",
          "--stats-interval", "20ms",      "--stop-timeout", "10s",  "--when-full", row.when_full};
}

// Until it is mended: the state that the fault brings, and that the other drive goes on.
void meet(const Fault& fault, Scene& scene, TraceSender& sender, std::size_t end, Outcome& outcome) {
  const auto other = drive_line(scene.capture, 1).at("bytes").get<std::uint64_t>();
  fault.strike(scene);
  if (fault.ends_the_capture) return;
  // A writer that is held in pwrite(2) holds up all its drives, and then, if it is to be waited for, the port.
  const bool waits = fault.holds_pwrite && outcome.row.io == "pwrite";
  const bool may_hold_the_port = waits && outcome.row.when_full == "wait";
  if (!sender.send_until(end) && !may_hold_the_port) outcome.wrong.push_back("nothing is received any more");
  if (!fault.state.empty() &&
      !wait_until([&] { return drive_line(scene.capture, 0).at("state") == fault.state; }, patience))
    outcome.wrong.push_back("its drive never was " + fault.state);
  if (fault.other_goes_on && !waits &&
      !wait_until([&] { return drive_line(scene.capture, 1).at("bytes").get<std::uint64_t>() > other; }, patience))
    outcome.wrong.push_back("the other drive stood still");
}

// A capture that was killed balances nothing; what its last line called stored has to be found.
void judge_killed(const CaptureResult& result, Outcome& outcome) {
  if (!result.ledger.empty()) outcome.stored = result.total("stored");
  if (outcome.found < outcome.stored) outcome.wrong.push_back("of what was stored some is gone");
}

void judge_ended(const Fault& fault, const CaptureResult& result, Outcome& outcome) {
  if (const auto books = check_ledger(result); !books.empty()) outcome.wrong.push_back(books);
  if (outcome.unaccounted != std::int64_t{0}) outcome.wrong.push_back("unaccounted");
  const auto may_miss = fault.may_lose_unsynced ? outcome.unsynced : 0;
  if (outcome.found > outcome.stored) outcome.wrong.push_back("more is found than was stored");
  if (outcome.found + may_miss < outcome.stored) outcome.wrong.push_back("of what was stored some is gone");
  if (outcome.exit_code != 0) outcome.wrong.push_back("exit code " + std::to_string(outcome.exit_code));
  if (outcome.stop_seconds > stop_timeout + stop_slack) outcome.wrong.push_back("it stopped too late");
}

void look_at_files(const Paths& outputs, const TraceSender& sender, Outcome& outcome) {
  Command repair{wirespool_program(), "repair"};
  for (const auto& output : outputs) repair.push_back(output.string());
  if (const auto done = run_process(repair); !done.ok()) outcome.wrong.push_back("repair: " + done.describe());
  const auto found = sender.found_in(outputs);
  outcome.found = found.frames;
  if (found.strange) outcome.wrong.push_back("a frame that was not sent");
  if (found.doubled) outcome.wrong.push_back("a frame twice");
  if (const auto outside = ask_outside(outputs); !outside.empty()) outcome.wrong.push_back(outside);
}

}  // namespace

Outcome run_row(const Row& row) {
  const auto& fault = faults().at(row.fault);
  Outcome outcome;
  outcome.row = row;
  if (fault.missing) {
    outcome.skipped = fault.missing().value_or("");
    if (!outcome.skipped.empty()) return outcome;
  }
  const Bench bench;
  const VethPair veth;
  LoopDrive drive({.file_system = fault.file_system,
                   .bytes = 320 * mib,
                   .sector_bytes = static_cast<unsigned>(std::stoul(row.sector))});
  const auto directory = fs::path(drive.path()) / "spool";
  fs::create_directory(directory);
  const Paths outputs{directory, bench.outputs[0]};
  LiveCapture capture({.vdevs = {"net_af_packet0,iface=" + veth.right()},
                       .outputs = outputs,
                       .options = options_of(row),
                       .under = fault.faulty_calls.empty() ? Command() : with_faulty_calls(fault.faulty_calls)});
  if (!capture.wait_until_running()) throw std::runtime_error("it does not run: " + capture.process().err());
  const auto frames = frames_of(row);
  TraceSender sender(veth.left(), make_trace({.kind = "1514", .packets = frames}), capture, ahead,
                     row.rate.empty() ? 0 : std::stoul(row.rate));
  Scene scene{drive, directory, capture};
  if (!sender.send_until(frames / 3)) outcome.wrong.push_back("nothing is received");
  meet(fault, scene, sender, frames * 2 / 3, outcome);
  if (fault.mend) fault.mend(scene);
  if (!fault.ends_the_capture && !sender.send_until(frames)) outcome.wrong.push_back("nothing is received after all");
  if (fault.mend && !wait_until([&] { return drive_line(capture, 0).at("state") == "ok"; }, patience))
    outcome.wrong.push_back("its drive does not come back");
  const auto begin = Clock::now();
  const auto result = fault.ends_the_capture ? capture.wait() : capture.stop();
  outcome.stop_seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  outcome.exit_code = result.process.exit_code;
  outcome.sent = sender.sent();
  if (!fault.ends_the_capture && !result.ledger.empty()) take_books(result, outcome);
  look_at_files(outputs, sender, outcome);
  if (fault.ends_the_capture)
    judge_killed(result, outcome);
  else
    judge_ended(fault, result, outcome);
  return outcome;
}

}  // namespace wirespool::test

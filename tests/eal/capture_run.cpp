// SPDX-License-Identifier: BSD-3-Clause
#include "capture_run.hpp"

#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "support/eal_options.hpp"

namespace wirespool::test {
namespace {

std::vector<unsigned> usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<unsigned> cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpus;
}

// Said once: which of the two a run was.
void say_memory(unsigned megabytes) {
  static const bool said = [megabytes] {
    std::printf("EAL memory: %s\n", enough_hugepages(megabytes) ? "hugepages of 2 MiB" : "--no-huge");
    std::fflush(stdout);
    return true;
  }();
  (void)said;
}

std::vector<Json> parse_lines(const std::string& text, std::string& not_json) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    auto json = Json::parse(line, nullptr, false);
    if (!json.is_discarded())
      lines.push_back(std::move(json));
    else if (not_json.empty())
      not_json = line;
  }
  return lines;
}

}  // namespace

std::string wirespool_program() {
  const char* path = std::getenv("WIRESPOOL");
  if (path == nullptr) throw std::runtime_error("WIRESPOOL does not name the program: run this with meson test");
  return path;
}

std::string lcore_map(unsigned lcores) {
  const auto cpus = usable_cpus();
  const unsigned first = cpus.at(0), second = cpus.size() > 1 ? cpus[1] : first;
  std::string map;
  for (unsigned lcore = 0; lcore < lcores; ++lcore)
    map += (lcore ? "," : "") + std::to_string(lcore) + "@" + std::to_string(lcore == 0 || lcore % 2 ? first : second);
  return map;
}

Command command_line(const CaptureCommand& capture) {
  say_memory(capture.megabytes);
  Command command = capture.under;
  command.insert(command.end(), {wirespool_program(), "capture", "--lcores", lcore_map(capture.lcores)});
  const auto memory = eal_options(capture.megabytes);
  command.insert(command.end(), memory.begin(), memory.end());
  for (const auto& vdev : capture.vdevs) command.insert(command.end(), {"--vdev", vdev});
  command.emplace_back("--");
  if (std::ranges::find(capture.options, "--stats") == capture.options.end())
    command.insert(command.end(), {"--stats", "json"});
  // On a busy machine a stop takes long, but not for ever.
  if (std::ranges::find(capture.options, "--stop-timeout") == capture.options.end())
    command.insert(command.end(), {"--stop-timeout", "50s"});
  for (const auto& output : capture.outputs) command.insert(command.end(), {"--output", output.string()});
  command.insert(command.end(), capture.options.begin(), capture.options.end());
  if (capture.inside) command = capture.inside->inside(command);
  if (!capture.redirection.empty()) {
    const Command shell{"sh", "-c", "exec \"$@\" " + capture.redirection, "sh"};
    command.insert(command.begin(), shell.begin(), shell.end());
  }
  return command;
}

Json drive_of(const Json& line, const std::filesystem::path& path) {
  for (const auto& drive : line.at("drives"))
    if (drive.at("path") == path.string()) return drive;
  return nullptr;
}

Command with_faulty_calls(const std::string& calls) {
  const char* module = std::getenv("FAULTY_CALLS_MODULE");
  if (!module) throw std::runtime_error("FAULTY_CALLS_MODULE is not set");
  return {"env", std::string("LD_PRELOAD=") + module, "FAULTY_CALLS=" + calls};
}

CaptureResult read_capture(ProcessResult process) {
  CaptureResult result{.process = std::move(process), .ledger = {}, .not_json = {}};
  result.ledger = parse_lines(result.process.out, result.not_json);
  return result;
}

const Json& CaptureResult::last() const {
  static const Json none;
  return ledger.empty() ? none : ledger.back();
}

std::uint64_t CaptureResult::total(const std::string& name) const {
  if (ledger.empty()) throw std::runtime_error("no ledger: " + describe());
  return last().at("totals").at(name).get<std::uint64_t>();
}

std::string CaptureResult::ended_by() const { return last().is_null() ? "" : last().value("ended_by", ""); }

std::string CaptureResult::describe() const {
  const ProcessResult without_out{process.timed_out, process.exit_code, process.signal, "", process.err};
  return without_out.describe() + "\nledger: " + last().dump();
}

CaptureResult run_capture(const CaptureCommand& capture, Seconds timeout) {
  return read_capture(run_process(command_line(capture), timeout));
}

// The plan is told once everything is started.
bool LiveCapture::wait_until_running() { return process_.wait_for_output("capture until ", Seconds(60)); }

Json LiveCapture::newest() const {
  const auto out = process_.out();
  const auto end = out.rfind('\n');
  if (end == std::string::npos) return nullptr;
  const auto begin = end == 0 ? std::string::npos : out.rfind('\n', end - 1);
  return Json::parse(out.substr(begin + 1, end - begin - 1), nullptr, false);
}

std::uint64_t LiveCapture::total(const std::string& name) const {
  const auto line = newest();
  return line.is_object() ? line.at("totals").at(name).get<std::uint64_t>() : 0;
}

bool LiveCapture::wait_for_total(const std::string& name, std::uint64_t at_least, Seconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (total(name) < at_least) {
    if (!process_.running() || std::chrono::steady_clock::now() >= end) return total(name) >= at_least;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

CaptureResult LiveCapture::wait(Seconds timeout) { return read_capture(process_.wait(timeout)); }
CaptureResult LiveCapture::stop(int signal, Seconds timeout) { return read_capture(process_.stop(signal, timeout)); }

}  // namespace wirespool::test

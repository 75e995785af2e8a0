// SPDX-License-Identifier: BSD-3-Clause
// --metrics of a capture that runs: what is scraped is what the ledger says, and clients hold nothing up.
#include <sched.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "bench.hpp"
#include "books.hpp"
#include "pcap_stream.hpp"
#include "support/catch.hpp"
#include "support/loopback_client.hpp"
#include "support/skip.hpp"
#include "support/wait_until.hpp"
#include "worker_name.hpp"

using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t packets = 20'000;

// Replays a trace, and goes on when it has ended, until it is told to stop.
CaptureCommand scraped(const Bench& bench, std::uint16_t port, Command more = {}) {
  write_trace({.kind = "1514", .packets = packets}, bench.trace());
  more.insert(more.end(), {"--metrics", ":" + std::to_string(port), "--stats-interval", "50ms", "--flush-age", "50ms"});
  return {.vdevs = {replay_of({bench.trace()})}, .outputs = bench.outputs, .options = std::move(more)};
}

// Of the first sample that begins so; nothing: there is none.
std::string value_of(const std::string& page, const std::string& sample) {
  const auto found = page.find("\n" + sample + " ");
  if (found == std::string::npos) return "";
  const auto at = found + sample.size() + 2;
  return page.substr(at, page.find('\n', at) - at);
}

// Scrapes until the sample has the value; the last page.
std::string scrape_until(std::uint16_t port, const std::string& sample, const std::string& value) {
  std::string page;
  for (int i = 0; i < 600 && value_of(page, sample) != value; ++i) {
    page = get(port, "/metrics");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return page;
}

bool built_without_metrics(const CaptureResult& result) {
  return result.process.err.find("built without cpp-httplib") != std::string::npos;
}

// Where the program was built without them there is nothing to test but that it says so.
bool can_serve() {
  const Bench bench;
  auto probe = scraped(bench, free_port(), {"--dry-run"});
  const auto result = run_capture(probe);
  if (!built_without_metrics(result)) return true;
  CHECK(result.process.exit_code == 2);
  return skip("metrics", "this wirespool was built without cpp-httplib"), false;
}

const char* const localhost = "Host: localhost\r\n";  // whom a client of queries means

}  // namespace

TEST_CASE(
    "a capture that serves answers for the files it has sealed, goes on, and ends at once with a query under way") {
  if (!can_serve()) return;
  const Bench bench(2);
  const auto port = free_port();
  write_trace({.kind = "1514", .packets = packets}, bench.trace());
  LiveCapture capture({.vdevs = {replay_of({bench.trace()})},
                       .outputs = bench.outputs,
                       .options = {"--serve", ":" + std::to_string(port), "--rotate-size", "1MiB", "--block-size",
                                   "256KiB", "--stats-interval", "50ms", "--flush-age", "50ms", "--rotate-age", "1s"}});
  REQUIRE(capture.wait_for_total("stored", packets));
  REQUIRE(wait_until(
      [&] {
        return get(port, "/api/estimate", localhost).find("\"packets_at_most\":" + std::to_string(packets)) !=
               std::string::npos;
      },
      60));
  CHECK_THAT(get(port, "/api/captures", localhost), Catch::Contains(bench.outputs[1].string()));
  const Client hanging(port);  // takes nothing of all packets
  REQUIRE(hanging.say("GET /api/extract HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  const auto begin = std::chrono::steady_clock::now();
  const auto result = capture.stop();
  INFO(result.describe());
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(40));
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK_THAT(result.process.err, Catch::Contains("asked=\"GET /api/captures\" status=200"));
}

TEST_CASE("a capture serves on the loopback alone") {
  if (!can_serve()) return;
  const Bench bench;
  const auto result =
      run_capture({.vdevs = {"net_null0"}, .outputs = bench.outputs, .options = {"--serve", "192.0.2.1:8080"}});
  CHECK(result.process.exit_code == 1);
  CHECK_THAT(result.process.err, Catch::Contains("--serve: 192.0.2.1:8080 can be reached from elsewhere") &&
                                     Catch::Contains("wirespool serve"));
}

TEST_CASE("what is scraped of a running capture is what went through it, and its files agree") {
  if (!can_serve()) return;
  const Bench bench(2);
  const auto port = free_port();
  LiveCapture capture(scraped(bench, port, {"--on-seal", "true"}));
  REQUIRE(capture.wait_until_running());
  const auto page = scrape_until(port, "wirespool_stored_packets_total", std::to_string(packets));
  INFO(page);
  const auto all = std::to_string(packets);
  CHECK(value_of(page, "wirespool_received_packets_total{port=\"0\",queue=\"0\"}") == all);
  CHECK(value_of(page, "wirespool_received_bytes_total{port=\"0\",queue=\"0\"}") == std::to_string(1514 * packets));
  CHECK(value_of(page, "wirespool_stored_bytes_total") == std::to_string(1514 * packets));
  CHECK(value_of(page, "wirespool_in_flight_packets") == "0");
  CHECK(value_of(page, "wirespool_books_balanced") == "1");
  for (const char* cause : {"drop_handoff", "drop_drive", "no_mbuf"})
    CHECK(value_of(page, "wirespool_lost_packets_total{cause=\"" + std::string(cause) + "\"}") == "0");
  for (const auto& drive : bench.outputs) {
    CHECK(value_of(page, "wirespool_drive_state{drive=\"" + drive.string() + "\",state=\"ok\"}") == "1");
    CHECK(value_of(page, "wirespool_drive_write_duration_seconds_count{drive=\"" + drive.string() + "\"}") != "0");
  }
  CHECK(value_of(page, "wirespool_blocks{state=\"full\"}") == "0");
  CHECK(value_of(page, "wirespool_blocks{state=\"free\"}") != "0");
  CHECK(body_of(get(port, "/healthz")) == "ok\n");
  CHECK(check_capture(capture.stop(), bench.outputs) == "");
  CHECK_FALSE(Client(port).connected());
}

namespace {

// Of a task (proc_pid_status(5)).
std::string field_of(const fs::path& task, const std::string& name) {
  std::ifstream file(task / "status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  return "";
}

struct Tasks {
  std::vector<pid_t> lcores, serving;
};

Tasks tasks_of(pid_t pid) {
  Tasks tasks;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    const auto name = field_of(task.path(), "Name");
    if (worker_lcore(name)) tasks.lcores.push_back(std::stoi(task.path().filename()));
    if (name == "serve") tasks.serving.push_back(std::stoi(task.path().filename()));
  }
  return tasks;
}

bool share_a_cpu(pid_t a, pid_t b) {
  cpu_set_t of_a, of_b, both;
  CPU_ZERO(&both);
  if (::sched_getaffinity(a, sizeof of_a, &of_a) != 0 || ::sched_getaffinity(b, sizeof of_b, &of_b) != 0) return false;
  CPU_AND(&both, &of_a, &of_b);
  return CPU_COUNT(&both) > 0;
}

// How often the task had to wait for something.
std::string waits_of(pid_t pid, pid_t task) {
  return field_of("/proc/" + std::to_string(pid) + "/task/" + std::to_string(task), "voluntary_ctxt_switches");
}

}  // namespace

TEST_CASE(
    "scrapes cost a capture's lcores nothing: they wait for nobody, and who answers is on the main lcore's CPUs") {
  if (!can_serve()) return;
  const Bench bench;
  const auto port = free_port();
  LiveCapture capture(scraped(bench, port));
  REQUIRE(capture.wait_for_total("stored", packets));  // nothing more comes: lcores poll
  const auto pid = capture.process().pid();
  const auto lcores = tasks_of(pid).lcores;
  REQUIRE(lcores.size() == 2);
  std::vector<std::string> before;
  for (const auto lcore : lcores) before.push_back(waits_of(pid, lcore));
  std::atomic<bool> stop{false};
  std::atomic<unsigned> pages{0};
  {
    std::vector<std::jthread> scrapers;
    for (int i = 0; i < 4; ++i)
      scrapers.emplace_back([&] {
        while (!stop) pages += is(get(port, "/metrics"), "200");
      });
    for (int i = 0; i < 600 && pages < 200; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    stop = true;
  }
  CHECK(pages >= 200);
  const auto serving = tasks_of(pid).serving;
  CHECK(serving.size() >= 2);
  for (const auto lcore : lcores)
    for (const auto task : serving)
      CHECK((share_a_cpu(lcore, pid) || !share_a_cpu(lcore, task)));  // pid: the main lcore
  for (std::size_t i = 0; i < lcores.size(); ++i) CHECK(waits_of(pid, lcores[i]) == before[i]);
  CHECK(check_capture(capture.stop(), bench.outputs) == "");
}

TEST_CASE("clients that hang, drip and flood hold neither the capture nor its end, and lose it nothing") {
  if (!can_serve()) return;
  const Bench bench;
  const auto port = free_port();
  LiveCapture capture(scraped(bench, port));
  REQUIRE(capture.wait_until_running());
  std::vector<Client> clients;
  for (int i = 0; i < 40; ++i) {
    clients.emplace_back(port);
    clients.back().say(i % 2 ? "GET /metrics HTTP/1.1\r\nX: " : std::string(100'000, 'x'));
  }
  CHECK(capture.wait_for_total("stored", packets));
  const auto began = std::chrono::steady_clock::now();
  const auto result = capture.stop();
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(30));
  CHECK(check_capture(result, bench.outputs) == "");
  CHECK(result.total("stored") == packets);
}

TEST_CASE("an address that is taken is refused before anything begins, in one line, with exit code 2") {
  if (!can_serve()) return;
  const Bench first, second;
  const auto port = free_port();
  LiveCapture capture(scraped(first, port));
  REQUIRE(capture.wait_until_running());
  const auto refused = run_capture(scraped(second, port));
  INFO(refused.describe());
  CHECK(refused.process.exit_code == 2);
  CHECK(refused.process.err ==
        "wirespool: --metrics: 127.0.0.1:" + std::to_string(port) +
            ": Address already in use: end who listens there (ss -ltnp), or give another port\n");
  CHECK(fs::is_empty(second.outputs[0]));
  CHECK(check_capture(capture.stop(), first.outputs) == "");
}

// SPDX-License-Identifier: BSD-3-Clause
// dpdk-send and its kin on virtual ports. Senders wait for room (-B), so no clock decides what arrives.
#include <nlohmann/json.hpp>
#include <sstream>

#include "bench.hpp"
#include "support/catch.hpp"
#include "support/eal_options.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/trace.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool;
using namespace wirespool::test;
using Catch::Contains;

namespace {

const Command near_to_far{"10.0.0.1", "-", "10.0.0.2", "02:00:00:00:00:02"};
const Command far_to_near{"10.0.0.2", "-", "10.0.0.1", "-"};

Command join(Command command, const Command& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

// `wirespool NAME EAL -- OWN`, all its lcores on CPUs that there are.
Command application(const std::string& name, unsigned workers, const std::vector<std::string>& vdevs,
                    const Command& own) {
  const char* path = std::getenv("WIRESPOOL");
  REQUIRE(path != nullptr);
  Command command{path, name, "--lcores", lcore_map(workers + 1)};
  const auto memory = eal_options(64);
  command = join(command, memory);
  if (memory.back() == "--in-memory") command.emplace_back("--single-file-segments");
  for (const auto& vdev : vdevs) command = join(command, {"--vdev", vdev});
  command.emplace_back("--");
  return join(join(command, own), {"--json"});
}

nlohmann::json last_line(const ProcessResult& result) {
  INFO(result.describe());
  std::istringstream lines(result.out);
  std::string line, last;
  while (std::getline(lines, line)) last = line;
  const auto json = nlohmann::json::parse(last, nullptr, false);
  REQUIRE(json.is_object());
  return json;
}

std::string memif(const TempDir& directory, const char* role, unsigned number = 0) {
  return "net_memif" + std::to_string(number) + ",role=" + role + ",socket=" + (directory / "wire").string() +
         std::to_string(number) + ",socket-abstract=no";
}

// DPDK may be built without a driver; said by EAL's vdev bus.
bool lacks_driver(const char* driver, const ProcessResult& result) {
  if (result.err.find("no driver found for") == std::string::npos) return false;
  skip(driver, "this DPDK is built without it");
  return true;
}

void check_exact(const nlohmann::json& sender, const nlohmann::json& receiver, unsigned packets) {
  CAPTURE(sender.dump(), receiver.dump());
  CHECK(sender["sent"] == packets);
  CHECK(sender["dropped"] == 0);
  CHECK(receiver["received"] == packets);
  for (const auto* none : {"lost", "duplicates", "reordered", "corrupt", "foreign"}) CHECK(receiver[none] == 0);
  CHECK(sender["sent_bytes"] == receiver["received_bytes"]);
}

}  // namespace

TEST_CASE("dpdk-send and dpdk-recv count the same over memif and over vhost") {
  const TempDir directory;
  const auto socket = (directory / "vhost.sock").string();
  const bool over_memif = GENERATE(true, false);
  const auto ours = over_memif ? memif(directory, "server") : "net_vhost0,iface=" + socket;
  const auto theirs = over_memif ? memif(directory, "client") : "net_virtio_user0,path=" + socket;
  CAPTURE(ours);
  Process receiving(application("dpdk-recv", 1, {ours}, join(far_to_near, {"-b", "32", "-c", "--count", "50000"})));
  usleep(1'000'000);  // it makes the socket
  const auto sent = run_process(
      application("dpdk-send", 1, {theirs},
                  join(near_to_far, {"-b", "32", "-c", "-B", "-p", "imix", "--count", "50000", "--flows", "3"})));
  const auto received = receiving.wait(Seconds(60));
  if (lacks_driver("net_memif or net_vhost", received)) return;
  check_exact(last_line(sent), last_line(received), 50'000);
}

TEST_CASE("a dpdk-client gets all back from a dpdk-server") {
  const auto name = GENERATE(values<std::string>({"dpdk-client", "dpdk-clientst"}));
  const TempDir directory;
  Process server(application("dpdk-server", 1, {memif(directory, "server")},
                             {"10.0.0.2", "-", "10.0.0.1", "-", "-B", "--vlan", "7"}));
  usleep(1'000'000);
  Command own = join(near_to_far, {"-c", "-r", "2000", "--count", "1000", "-b", "4", "--vlan", "7"});
  if (name == "dpdk-client") own.emplace_back("-B");
  const auto result = run_process(application(name, 2, {memif(directory, "client")}, own));
  if (lacks_driver("net_memif", result)) return;
  const auto client = last_line(result);
  CAPTURE(client.dump());
  CHECK(client["received"] == 1000);
  CHECK(client["lost"] == 0);
  CHECK(client["corrupt"] == 0);
  CHECK(client["delay_ns"]["count"] == 1000);
  CHECK(client["delay_ns"]["min"] > 0);
  const auto ended = last_line(server.stop());
  CHECK(ended["received"] == 1000);
  CHECK(ended["sent"] == 1000);
}

TEST_CASE("a memif socket in use is one line that says what to do, and its server goes on") {
  const TempDir directory;
  Process first(application("dpdk-recv", 1, {memif(directory, "server")}, far_to_near));
  usleep(1'000'000);
  const auto second = run_process(application("dpdk-recv", 1, {memif(directory, "server")}, far_to_near));
  if (lacks_driver("net_memif", second)) return;
  CHECK(second.exit_code == 2);
  CHECK_THAT(second.err, Contains("wirespool: --vdev net_memif0: another program serves its socket") &&
                             Contains("give this end role=client to join it"));
  const auto sent = run_process(
      application("dpdk-send", 1, {memif(directory, "client")}, join(near_to_far, {"-B", "--count", "1000"})));
  CHECK(last_line(sent)["sent"] == 1000);
  CHECK(last_line(first.stop())["received"] == 1000);
}

TEST_CASE("dpdk-forward gives what it gets to its other port, and nothing else") {
  const TempDir directory;
  const auto from = (directory / "from.pcap").string(), to = (directory / "to.pcap").string();
  const auto trace = make_trace({.kind = "mixed", .packets = 2000, .min_bytes = 14});
  write_pcap(trace, from);
  Process forwarding(application(
      "dpdk-forward", 2,
      {"net_pcap0,rx_pcap=" + from + ",tx_pcap=" + (directory / "back.pcap").string(), "net_pcap1,tx_pcap=" + to},
      {"-b", "16", "-B", "--count", "2000"}));
  const auto result = forwarding.wait(Seconds(60));
  if (lacks_driver("net_pcap", result)) return;
  const auto report = last_line(result);
  CHECK(report["received"] == 2000);
  CHECK(report["sent"] == 2000);
  CHECK(report["dropped"] == 0);
  CHECK(compare_in_order(trace, read_pcap(to)) == "");
}

TEST_CASE("a capture that dpdk-send replays is the same again") {
  const TempDir directory;
  const auto from = (directory / "from.pcap").string(), to = (directory / "to.pcap").string();
  const auto trace = make_trace({.kind = "mixed", .packets = 3000, .min_bytes = 14});
  write_pcap(trace, from);
  const auto result = run_process(
      application("dpdk-send", 1, {"net_pcap0,tx_pcap=" + to}, {"--pcap", from, "-b", "16", "--speed", "0.1"}));
  if (lacks_driver("net_pcap", result)) return;
  INFO(result.describe());
  CHECK(result.exit_code == 0);
  const auto report = last_line(result);
  CHECK(report["sent"] == 3000);
  CHECK(report["gap_error_ns"]["count"] == 2999);
  CHECK(compare_in_order(trace, read_pcap(to)) == "");
}

struct Wrong {
  unsigned workers;
  std::vector<std::string> vdevs;
  std::string name;
  Command own;
  std::string says;
  int exit_code;
};

TEST_CASE("what keeps an application from its ports is one line") {
  const auto wrong = GENERATE(values<Wrong>({
      {1, {}, "dpdk-send", near_to_far, "--port: dpdk-send takes 1 of the ports that there are: none", 2},
      {1, {"net_null0", "net_null1"}, "dpdk-send", near_to_far, "0 (net_null0), 1 (net_null1)", 2},
      {1,
       {"net_null0"},
       "dpdk-send",
       {"10.0.0.1", "-", "10.0.0.2", "02:00:00:00:00:02", "--port", "5"},
       "--port: EAL found no port 5",
       1},
      {1,
       {"net_null0", "net_null1"},
       "dpdk-forward",
       {},
       "lcores: dpdk-forward polls on 2 of them beside the main one, and EAL has 1",
       1},
      {1, {"net_null0"}, "dpdk-send", {"10.0.0.1", "-", "10.0.0.2", "-"}, "REMOTE_MAC: it is put into each frame", 1},
      {1,
       {"net_null0"},
       "dpdk-send",
       {"10.0.0.1", "-", "10.0.0.2", "02:00:00:00:00:02", "-p", "9000"},
       "-p: 9000 bytes, without FCS, are more than net_null0 takes",
       1},
      {1, {"net_nosuch0"}, "dpdk-send", near_to_far, "net_nosuch0", 2},
  }));
  const auto result = run_process(application(wrong.name, wrong.workers, wrong.vdevs, wrong.own));
  CAPTURE(result.describe());
  CHECK(result.exit_code == wrong.exit_code);
  CHECK_THAT(result.err, Contains(wrong.says));
}

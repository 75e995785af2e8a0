// SPDX-License-Identifier: BSD-3-Clause
#include <unistd.h>

#include "applications.hpp"
#include "support/temp_dir.hpp"
#include "support/wait_until.hpp"

using namespace wirespool::test;
using Catch::Contains;

namespace {

// UDP ports that other runs of this test do not have.
Command ports(unsigned local, unsigned remote) {
  const unsigned base = 20000 + static_cast<unsigned>(getpid()) % 20000;
  return {"--port-local", std::to_string(base + local), "--port-remote", std::to_string(base + remote)};
}

const Command near_to_far{"10.0.0.1", Link::near_mac, "10.0.0.2", Link::far_mac};
const Command far_to_near{"10.0.0.2", Link::far_mac, "10.0.0.1", Link::near_mac};
const Command loopback{"127.0.0.1", "-", "127.0.0.1", "-"};

// A receiver that is stopped once the sender is done and all is read.
struct Ended {
  nlohmann::json sender, receiver;
};
Ended run_pair(const Command& receiver, const Command& sender) {
  Process receiving(receiver);
  REQUIRE(receiving.wait_for_output("\"final\":false", Seconds(20)));  // it counts by now
  const auto sent = run_process(sender);
  INFO(sent.describe());
  REQUIRE(sent.exit_code == 0);
  const auto received = receiving.wait(Seconds(60));
  INFO(received.describe());
  REQUIRE(received.exit_code == 0);
  return {last_line(sent.out), last_line(received.out)};
}

void check_exact(const Ended& ended, std::uint64_t packets) {
  CAPTURE(ended.sender.dump(), ended.receiver.dump());
  CHECK(ended.sender["sent"] == packets);
  CHECK(ended.sender["dropped"] == 0);
  CHECK(ended.receiver["received"] == packets);
  for (const auto* none : {"lost", "duplicates", "reordered", "missed"}) CHECK(ended.receiver[none] == 0);
}

}  // namespace

TEST_CASE("send and recv count the same over UDP, without any privilege") {
  const auto manner = GENERATE(values<Command>({{}, {"-m", "-b", "32"}, {"-B"}, {"-m", "-B", "-b", "8"}}));
  const auto flows = GENERATE(values<std::string>({"1", "5"}));
  CAPTURE(manner, flows);
  const auto ended =
      run_pair(program({"recv"}) + loopback + ports(1, 0) + Command{"-c", "--json", "--idle-exit", "1s"} + manner,
               program({"send"}) + loopback + ports(100, 1) +
                   Command{"-c", "--json", "-r", "20000", "--count", "5000", "-p", "imix", "--warmup", "20ms",
                           "--flows", flows} +
                   manner);
  check_exact(ended, 5000);
  CHECK(ended.receiver["corrupt"] == 0);
  CHECK(ended.receiver["foreign"] == 0);
  CHECK(ended.sender["warm_up"].get<int>() > 0);
  CHECK(ended.receiver["warm_up"] == ended.sender["warm_up"]);
  CHECK(ended.receiver["received_bytes"] == ended.sender["sent_bytes"]);
}

TEST_CASE("a client gets all back from a server, and its delays are those of a round trip") {
  const auto application = GENERATE(values<std::string>({"client", "clientst"}));
  CAPTURE(application);
  Process server(program({"server"}) + loopback + ports(1, 0) + Command{"--json"});
  REQUIRE(server.wait_for_output("\"final\":false", Seconds(20)));
  const auto result = run_process(program({application}) + loopback + ports(0, 1) +
                                  Command{"-r", "2000", "-b", "4", "--count", "2000", "--json", "-c"});
  INFO(result.describe());
  REQUIRE(result.exit_code == 0);
  const auto client = last_line(result.out);
  CHECK(client["sent"] == 2000);
  CHECK(client["received"] == 2000);
  for (const auto* none : {"lost", "duplicates", "corrupt", "dropped"}) CHECK(client[none] == 0);
  const auto& delay = client["delay_ns"];
  CHECK(delay["count"] == 2000);
  CHECK(delay["min"] > 500);
  CHECK(delay["min"] <= delay["p50"]);
  CHECK(delay["p50"] <= delay["p99"]);
  CHECK(delay["p99"] <= delay["max"]);
  const auto ended = server.stop();
  CHECK(ended.exit_code == 0);
  CHECK(last_line(ended.out)["received"] == 2000);
  CHECK(last_line(ended.out)["sent"] == 2000);
}

TEST_CASE("a client that nobody answers loses all, and says so") {
  const auto result =
      run_process(program({"client"}) + loopback + ports(0, 50) + Command{"-r", "1000", "--count", "100", "--json"});
  INFO(result.describe());
  const auto client = last_line(result.out);
  CHECK(client["received"] == 0);
  CHECK(client["lost"] == 100);
  CHECK(client["delay_ns"].is_null());
}

TEST_CASE("raw frames arrive as they were sent, as tcpdump counts them") {
  if (no_network("raw frames over veth") || !have_program("tcpdump")) return;
  const auto vlan = GENERATE(values<Command>({{}, {"--vlan", "7"}}));
  CAPTURE(vlan);
  const Link link;
  const TempDir directory;
  const auto file = (directory / "far.pcap").string();
  Process tcpdump(link.far.inside({"tcpdump", "-i", "far", "-U", "-w", file, "udp or (vlan 7 and udp)"}));
  REQUIRE(tcpdump.wait_for_output("listening on", Seconds(20)));
  const auto ended = run_pair(
      link.far.inside(program({"recv", "-R", "far", "--json", "-c", "--idle-exit", "1s", "-B"}) + far_to_near + vlan),
      link.near.inside(program({"send", "-R", "near", "--json", "-c", "-r", "5000", "--count", "3000", "-p",
                                "64:1,1514:1", "-b", "3", "-m", "--flows", "2"}) +
                       near_to_far + vlan));
  check_exact(ended, 3000);
  CHECK(ended.receiver["corrupt"] == 0);
  CHECK(ended.receiver["received_bytes"] == ended.sender["sent_bytes"]);
  REQUIRE(tcpdump.stop(SIGINT).exit_code == 0);
  const auto count = run_process({"tcpdump", "-nr", file, "--count", vlan.empty() ? "greater 1" : "vlan 7"});
  CHECK_THAT(count.out, Contains("3000 packets"));
}

TEST_CASE("UDP sockets and raw frames understand each other") {
  if (no_network("raw frames over veth")) return;
  const Link link;
  const Command count{"--json", "-c", "-r", "2000", "--count", "1000", "-p", "100"};
  const auto ended =
      run_pair(link.far.inside(program({"recv", "-R", "far", "--json", "-c", "--idle-exit", "1s"}) + far_to_near),
               link.near.inside(program({"send"}) + count + near_to_far));
  check_exact(ended, 1000);
  const auto back = run_pair(link.far.inside(program({"recv", "--json", "-c", "--idle-exit", "1s"}) + far_to_near),
                             link.near.inside(program({"send", "-R", "near"}) + count + near_to_far));
  check_exact(back, 1000);
}

TEST_CASE("forward joins two wires: frames with tags go through both ways, and a client measures the way") {
  if (no_network("a forwarder between two wires")) return;
  const NetNamespace middle, left, right;
  for (const auto* space : {&left, &right}) {
    const auto side = std::string(space == &left ? "lefthand" : "righthand");
    Link::must({"ip", "link", "add", side, "netns", middle.name(), "type", "veth", "peer", "name", "inner", "netns",
                space->name()});
    run_process(middle.inside({"sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"}));
    Link::must(middle.inside({"ip", "link", "set", side, "up"}));
  }
  Link::set_up(left, "inner", Link::near_mac);
  Link::set_up(right, "inner", Link::far_mac);
  const auto vlan = GENERATE(values<Command>({{}, {"--vlan", "7"}}));
  Process forwarder(
      middle.inside(program({"forward", "-R", "lefthand", "-R", "righthand", "-B", "-m", "-b", "16", "--json"})));
  REQUIRE(forwarder.wait_for_output("\"final\":false", Seconds(20)));
  Process server(right.inside(program({"server", "-R", "inner", "-B", "--json"}) + far_to_near + vlan));
  REQUIRE(server.wait_for_output("\"final\":false", Seconds(20)));
  const auto result = run_process(left.inside(
      program({"client", "-R", "inner", "-B", "-r", "1000", "--count", "500", "--json", "-c"}) + near_to_far + vlan));
  INFO(result.describe());
  REQUIRE(result.exit_code == 0);
  const auto client = last_line(result.out);
  CHECK(client["received"] == 500);
  CHECK(client["corrupt"] == 0);
  server.stop();
  const auto ended = last_line(forwarder.stop().out);
  CHECK(ended["received"] == 1000);
  CHECK(ended["sent"] == 1000);
  CHECK(ended["dropped"] == 0);
}

TEST_CASE("TCP goes through forward, though its checksums were left to hardware") {
  if (no_network("TCP through a forwarder")) return;
  const NetNamespace middle, left, right;
  for (const auto* space : {&left, &right}) {
    const auto side = std::string(space == &left ? "lefthand" : "righthand");
    Link::must({"ip", "link", "add", side, "netns", middle.name(), "type", "veth", "peer", "name", "inner", "netns",
                space->name()});
    Link::must(middle.inside({"ip", "link", "set", side, "up"}));
  }
  Link::set_up(left, "inner", Link::near_mac, "10.0.0.1/24");
  Link::set_up(right, "inner", Link::far_mac, "10.0.0.2/24");
  Process forwarder(middle.inside(program({"forward", "-R", "lefthand", "-R", "righthand", "-B", "--json"})));
  REQUIRE(forwarder.wait_for_output("\"final\":false", Seconds(20)));
  const char* listen =
      "import socket; s = socket.create_server(('10.0.0.2', 7777)); print('ready', flush=True); c, _ = s.accept(); "
      "print(c.recv(100).decode(), flush=True)";
  Process server(right.inside({"python3", "-c", listen}));
  REQUIRE(server.wait_for_output("ready", Seconds(20)));
  const auto sent = run_process(left.inside(
      {"python3", "-c", "import socket; s = socket.create_connection(('10.0.0.2', 7777), 20); s.sendall(b'through')"}));
  CHECK(sent.exit_code == 0);
  CHECK(server.wait_for_output("through", Seconds(20)));
}

struct Wrong {
  Command args;
  std::string says;
  int exit_code;
};

TEST_CASE("what cannot be done is one line that says what to do") {
  const auto wrong = GENERATE(values<Wrong>({
      {{"send", "127.0.0.1", "-", "127.0.0.1", "-", "-r", "0"}, "-r: 0 packets a second are none", 1},
      {{"send", "127.0.0.1", "-", "127.0.0.1", "-", "-r", "-1"},
       "-r: \"-1\" is not a rate: write how many a second",
       1},
      {{"send", "127.0.0.1", "-", "127.0.0.1", "-", "--duration", "0"}, "--duration: in no time nothing is sent", 1},
      {{"send", "-R", "veth0", "10.0.0.1", "-", "10.0.0.2", "00:00:00:00:00:00"},
       "REMOTE_MAC: 00:00:00:00:00:00 is no interface's address: ip link shows it",
       1},
      {{"send", "-R", "veth0", "10.0.0.1", "01:00:5e:00:00:01", "10.0.0.2", "02:00:00:00:00:02"},
       "LOCAL_MAC: 01:00:5e:00:00:01 is a group's address, not one interface's",
       1},
      {{"send", "127.0.0.1", "-", "127.0.0.1", "-", "-p", "63"}, "-p: 63 bytes, without FCS, is not within 64", 1},
      {{"send", "127.0.0.1", "-", "127.0.0.1", "-", "-p", "65551"}, "is not within 64 and 65535", 1},
      {{"send", "127.0.0.1", "02:00:00:00:00:77", "127.0.0.1", "-"}, "LOCAL_MAC: 127.0.0.1 has 00:00:00:00:00:00", 1},
      {{"send", "127.0.0.1", "nonsense", "127.0.0.1", "-"}, "LOCAL_MAC: \"nonsense\" is no MAC address", 1},
      {{"send", "203.0.113.9", "-", "127.0.0.1", "-"}, "203.0.113.9: no interface here has this address", 1},
      {{"send", "-R", "nosuch0", "127.0.0.1", "-", "127.0.0.1", "02:00:00:00:00:01"},
       "nosuch0: there is no such interface",
       1},
      {{"recv"}, "LOCAL_IP: is required", 1},
      {{"recv", "127.0.0.1", "-", "127.0.0.1", "-", "-r", "5"}, "-r: unknown option", 1},
      {{"send", "-R", "lo", "--pcap", "/nonexistent.pcap"}, "/nonexistent.pcap", 1},
      {{"forward", "-R", "lo"}, "-R: two interfaces are joined", 1},
  }));
  const auto result = run_process(program(wrong.args));
  CAPTURE(wrong.args, result.err, result.out);
  CHECK(result.exit_code == wrong.exit_code);
  CHECK_THAT(result.err, Contains(wrong.says));
  CHECK(std::ranges::count(result.err, '\n') == 1);
}

TEST_CASE("an address in use is told, and which program may have it") {
  Process first(program({"recv"}) + loopback + ports(1, 0) + Command{"--json"});
  REQUIRE(first.wait_for_output("\"final\":false", Seconds(20)));
  const auto second = run_process(program({"recv"}) + loopback + ports(1, 0));
  CHECK(second.exit_code == 2);
  CHECK_THAT(second.err, Contains("this address is in use: another program has it (ss -ulpn)"));
}

TEST_CASE("raw sockets without the right are told what they need") {
  if (geteuid() != 0 || !have_program("setpriv"))
    return skip("no right to raw sockets", "needs root and setpriv, to give it up");
  const auto result = run_process(Command{"setpriv", "--bounding-set", "-all", "--inh-caps", "-all"} +
                                  program({"send", "-R", "lo", "127.0.0.1", "-", "127.0.0.1", "02:00:00:00:00:01"}));
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, Contains("lo: raw sockets need CAP_NET_RAW: run as root, or setcap cap_net_raw+ep"));
}

TEST_CASE("a wrong remote MAC and a machine that is not there are told before anything is sent") {
  if (no_network("an end that does not answer")) return;
  const Link link;
  const auto other = run_process(link.near.inside(program({"send", "10.0.0.1", "-", "10.0.0.2", "02:00:00:00:00:77"})));
  CHECK(other.exit_code == 1);
  CHECK_THAT(other.err, Contains("REMOTE_MAC: 10.0.0.2 has 02:00:00:00:00:02, not 02:00:00:00:00:77"));
  const auto nobody = run_process(link.near.inside(program({"send", "10.0.0.1", "-", "10.0.0.77", "-"})));
  CHECK(nobody.exit_code == 2);
  CHECK_THAT(nobody.err, Contains("10.0.0.77: nobody on near answers for it"));
}

TEST_CASE("raw frames do not go out under an address that nobody has, unless their interface takes frames for it") {
  if (no_network("an address that is another's")) return;
  const Link link;
  const Command other{"10.0.0.1", "02:00:00:00:00:77", "10.0.0.2", Link::far_mac};
  const auto command = GENERATE(values<Command>({{"send", "-R", "near", "-r", "1000"}, {"recv", "-R", "near"}}));
  const auto refused = run_process(link.near.inside(program(command) + other));
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("LOCAL_MAC: near has 02:00:00:00:00:01, not 02:00:00:00:00:77: give that, or - for "
                                   "its own; if another is meant: ip link set near promisc on"));
  CHECK(std::ranges::count(refused.err, '\n') == 1);
  Link::must(link.near.inside({"ip", "link", "set", "near", "promisc", "on"}));
  const auto meant = run_process(link.near.inside(program(command) + Command{"--duration", "100ms"} + other));
  INFO(meant.describe());
  CHECK(meant.exit_code == 0);
  CHECK(meant.err.empty());
}

TEST_CASE("frames above the MTU are refused, and the MTU is named") {
  if (no_network("frames above an MTU")) return;
  const Link link;
  const auto raw = run_process(link.near.inside(program({"send", "-R", "near", "-p", "1515"}) + near_to_far));
  CHECK(raw.exit_code == 1);
  CHECK_THAT(raw.err, Contains("-p: 1515 bytes, without FCS, are more than near takes, which is 1514"));
  const auto udp = run_process(link.near.inside(program({"send", "-p", "1515"}) + near_to_far));
  CHECK(udp.exit_code == 1);
}

TEST_CASE("an interface that goes down ends a run with one line") {
  if (no_network("an interface that goes down")) return;
  const Link link;
  Process sender(link.near.inside(program({"send", "-R", "near", "-r", "1000", "--json"}) + near_to_far));
  REQUIRE(sender.wait_for_output("\"final\":false", Seconds(20)));
  Link::must(link.near.inside({"ip", "link", "set", "near", "down"}));
  const auto result = sender.wait(Seconds(30));
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.err, Contains("near: the interface went down"));
  CHECK(last_line(result.out)["final"] == true);
}

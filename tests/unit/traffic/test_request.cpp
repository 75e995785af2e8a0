// SPDX-License-Identifier: BSD-3-Clause
#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "traffic/report.hpp"
#include "traffic/request.hpp"

using namespace wirespool::traffic;
using Catch::Contains;

namespace {

Request good(Application application = Application::send) {
  Request request;
  request.application = application;
  request.local_ip = "10.0.0.1";
  request.local_mac = "02:00:00:00:00:01";
  request.remote_ip = "10.0.0.2";
  request.remote_mac = "02:00:00:00:00:02";
  return request;
}

std::string only_problem(const Request& request) {
  const auto problems = problems_of(request);
  REQUIRE(problems.size() == 1);
  return problems.front().message();
}

}  // namespace

TEST_CASE("a request as published has no problems, and the published ports") {
  const auto [application, local, remote] =
      GENERATE(table<Application, unsigned, unsigned>({{Application::send, 13994, 16994},
                                                       {Application::recv, 16994, 13994},
                                                       {Application::client, 16803, 16196},
                                                       {Application::clientst, 16803, 16196},
                                                       {Application::server, 16196, 16803}}));
  CHECK(problems_of(good(application)).empty());
  CHECK(ends_of(good(application)).local_port == local);
  CHECK(ends_of(good(application)).remote_port == remote);
}

TEST_CASE("what is wrong is told in one line each") {
  const auto problem_after = [](auto change) {
    auto request = good();
    change(request);
    return only_problem(request);
  };
  CHECK_THAT(problem_after([](Request& r) { r.local_ip = "10.0.0"; }),
             Contains("LOCAL_IP: \"10.0.0\" is no IPv4 address"));
  CHECK_THAT(problem_after([](Request& r) { r.remote_ip = ""; }), Contains("REMOTE_IP: is required"));
  CHECK_THAT(problem_after([](Request& r) { r.remote_mac = "02:00:00:00:00"; }), Contains("is no MAC address"));
  CHECK_THAT(problem_after([](Request& r) { r.local_mac = "01:00:5e:00:00:01"; }), Contains("a group's address"));
  CHECK_THAT(problem_after([](Request& r) { r.duration_ns = 0; }),
             Contains("--duration: in no time nothing is sent or received"));
  CHECK_THAT(problem_after([](Request& r) { r.rate = 0; }), Contains("-r: 0 packets a second are none"));
  CHECK_THAT(problem_after([](Request& r) { r.vlan = 7; }), Contains("--vlan: UDP sockets know no VLAN"));
  CHECK_THAT(problem_after([](Request& r) { r.interfaces = {"a", "b"}; }), Contains("-R: given more than once"));
  CHECK_THAT(problem_after([](Request& r) { r.interfaces = {"a"}, r.remote_mac = "-"; }),
             Contains("REMOTE_MAC: it is put into each frame"));
  CHECK_THAT(problem_after([](Request& r) { r.speed = 2; }), Contains("--speed: nothing is replayed"));
  CHECK_THAT(problem_after([](Request& r) { r.port_local = 65535, r.flows = 2; }),
             Contains("--flows: port 65535 and 1 more"));
}

TEST_CASE("an address of zeros is the loopback's only") {
  const std::string zeros = "00:00:00:00:00:00";
  auto request = good(GENERATE(Application::send, Application::recv, Application::client));
  SECTION("and refused by sockets, raw or not, and by ports") {
    request.on_ports = GENERATE(true, false);
    if (!request.on_ports && GENERATE(true, false)) request.interfaces = {"veth0"};
    request.remote_mac = zeros;
    CHECK_THAT(only_problem(request), Contains("REMOTE_MAC: 00:00:00:00:00:00 is no interface's address"));
    request.remote_mac = good().remote_mac;
    request.local_mac = zeros;
    CHECK_THAT(only_problem(request), Contains("LOCAL_MAC: 00:00:00:00:00:00 is no interface's address"));
  }
  SECTION("where it is what there is") {
    request.local_mac = request.remote_mac = zeros;
    if (GENERATE(true, false))
      request.interfaces = {"lo"};
    else
      request.local_ip = request.remote_ip = "127.0.0.1";
    CHECK(problems_of(request).empty());
  }
}

TEST_CASE("no time at all is refused to all that has a duration") {
  Request replay, forward;
  replay.interfaces = {"veth0"};
  replay.pcap = {"x.pcap"};
  forward.application = Application::forward;
  forward.interfaces = {"a", "b"};
  for (auto request : {good(), good(Application::recv), good(Application::server), replay, forward}) {
    request.duration_ns = 0;
    CHECK_THAT(only_problem(request), Contains("--duration: in no time"));
  }
}

TEST_CASE("options that a replay has no use for are refused") {
  Request replay;
  replay.interfaces = {"veth0"};
  replay.pcap = {"x.pcap"};
  CHECK(problems_of(replay).empty());
  const auto problem_after = [&](auto change) {
    auto request = replay;
    change(request);
    return only_problem(request);
  };
  CHECK_THAT(problem_after([](Request& r) { r.interfaces.clear(); }),
             Contains("--pcap: whole frames are sent by raw sockets"));
  CHECK_THAT(problem_after([](Request& r) { r.rate = 5, r.speed = 2; }),
             Contains("--speed: -r gives the gaps already"));
  CHECK_THAT(problem_after([](Request& r) { r.check_payload = true; }), Contains("-c: a replay's payload"));
  CHECK_THAT(problem_after([](Request& r) { r.warmup_ns = 1; }), Contains("--warmup"));
  CHECK_THAT(problem_after([](Request& r) { r.flows = 2; }), Contains("--flows"));
  CHECK_THAT(problem_after([](Request& r) { r.local_ip = "10.0.0.1"; }),
             Contains("frames have their addresses already"));
}

TEST_CASE("forward joins two interfaces") {
  Request request;
  request.application = Application::forward;
  request.interfaces = {"a"};
  CHECK_THAT(only_problem(request), Contains("-R: two interfaces are joined"));
  request.interfaces = {"a", "a"};
  CHECK_THAT(only_problem(request), Contains("both interfaces are the same"));
  request.interfaces = {"a", "b"};
  CHECK(problems_of(request).empty());
}

TEST_CASE("MAC addresses are read and written alike") {
  const auto mac = parse_mac("02:ab:CD:00:7f:ff");
  REQUIRE(mac);
  CHECK(text_of(*mac) == "02:ab:cd:00:7f:ff");
  for (const auto* text :
       {"", "02:ab:cd:00:7f", "02:ab:cd:00:7f:fg", "02-ab-cd-00-7f-ff", "02:ab:cd:00:7f:ff:", "+2:ab:cd:00:7f:ff"})
    CHECK_FALSE(parse_mac(text));
}

TEST_CASE("a JSON line has null for what an application does not count, and 0 for what it counted none of") {
  About about;
  about.application = "recv";
  Totals totals;
  totals.elapsed_ns = 2'000'000'000;
  totals.received = 1000;
  totals.received_bytes = 64'000;
  totals.lost = 0;
  const auto line = json_line(about, totals, rates_between({}, totals), true);
  REQUIRE(line.ends_with("}\n"));
  const auto json = nlohmann::json::parse(line);
  CHECK(json["final"] == true);
  CHECK(json["received"] == 1000);
  CHECK(json["lost"] == 0);
  CHECK(json["sent"].is_null());
  CHECK(json["delay_ns"].is_null());
  CHECK(json["frame_bytes_without_fcs"].is_null());
  CHECK(json["pps"] == Approx(500));
  CHECK(json["gbps"] == Approx(64'000 * 8 / 2e9));
}

TEST_CASE("a duration falls into a bucket that is right within 0.4 %, whatever it is") {
  for (std::uint64_t ns = 0; ns < (1ull << 62); ns += ns / 8 + 1) {
    const auto bucket = Delays::bucket_of(ns);
    CAPTURE(ns, bucket);
    REQUIRE(bucket < Delays::buckets);
    REQUIRE(Delays::upper_bound(bucket) >= ns);
    REQUIRE(static_cast<double>(Delays::upper_bound(bucket) - ns) <= static_cast<double>(ns) * 0.004);
    REQUIRE((bucket == 0 || Delays::upper_bound(bucket - 1) < ns));
  }
  CHECK(Delays::bucket_of(UINT64_MAX) == Delays::buckets - 1);
  CHECK(Delays().min() == UINT64_MAX);
}

TEST_CASE("percentiles are those of what was measured") {
  Delays delays;
  for (std::uint64_t ns = 1; ns <= 1000; ++ns) delays.add(ns * 1000);
  Distribution distribution;
  distribution.add(delays);
  const auto found = distribution.percentiles();
  REQUIRE(found);
  CHECK(found->count == 1000);
  CHECK(found->p50 == Approx(500'000).epsilon(0.004));
  CHECK(found->p99 == Approx(990'000).epsilon(0.004));
  CHECK(found->max == 1'000'000);
  CHECK(found->mean == Approx(500'500));
  CHECK(found->min == 1000);
}

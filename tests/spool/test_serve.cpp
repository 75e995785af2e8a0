// SPDX-License-Identifier: BSD-3-Clause
// `wirespool serve`, the program as it is run, asked by curl; what it sends is read by libpcap, tcpdump and capinfos.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "spool/kept_capture.hpp"
#include "spool/serving.hpp"
#include "support/catch.hpp"
#include "support/outside_tools.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"
#include "wirespool/time_text.hpp"
#include "wirespool/version.hpp"

using namespace wirespool;
using namespace wirespool::test;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

constexpr int cut_off = 18;  // of curl(1): "Partial file"

// One capture and a service of it.
struct Rig {
  KeptCapture capture;
  Serving serving;
  fs::path out = capture.temp / "out.pcap";

  explicit Rig(const Command& options = {}, std::uint32_t packets = 1000)
      : capture(Layout::Index::flow, packets), serving((capture.write_plan(), directories()), options) {}

  std::vector<std::string> directories() const { return {capture.directory.string()}; }

  ProcessResult get(const std::string& path, const std::vector<std::string>& parameters = {}) const {
    return run_process(curl(serving.url(path), parameters, {"-o", out.string(), "-w", "%{http_code}"}));
  }
  std::string body() const {
    std::ifstream file(out);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Json json(const std::string& path, const std::vector<std::string>& parameters = {}) const {
    const auto result = get(path, parameters);
    INFO(result.describe() << body());
    REQUIRE(result.ok());
    return Json::parse(body());
  }
};

// A client that asks for everything and reads nothing: the answer does not fit into what kernels keep for it.
struct Stalled {
  Client client;
  explicit Stalled(const Serving& serving) : client(serving.port) {
    client.say("GET /api/extract HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
};

// Until the service answers a query that way: it runs another one meanwhile.
bool becomes(const Rig& rig, const std::string& status) {
  for (int i = 0; i < 6'000; ++i) {
    if (rig.get("/api/extract", {"limit=1"}).out == status) return true;
    ::usleep(10'000);
  }
  return false;
}

constexpr std::uint32_t many = 60'000;  // packets: 20 MB and more

bool no_curl() {
  if (have_program("curl")) return false;
  skip("wirespool serve", "curl is not here: apt-get install curl");
  return true;
}

}  // namespace

TEST_CASE("what curl extracts is what was captured, in order of time, as other programs read it") {
  if (no_curl()) return;
  const Rig rig;
  const auto result = rig.get("/api/extract");
  INFO(result.describe() << rig.serving.log());
  REQUIRE(result.out == "200");
  const auto trace = read_pcap(rig.out);
  CHECK(compare_in_order(rig.capture.trace, trace) == "");
  CHECK(trace[7].time == rig.capture.trace[7].time);
  if (have_program("tcpdump")) CHECK(ask_tcpdump(rig.out).packets == rig.capture.trace.size());
  if (have_program("capinfos")) {
    const auto opinion = ask_capinfos(rig.out);
    CHECK(opinion.understood);
    CHECK(opinion.nanoseconds);
    CHECK(opinion.in_time_order);
  }
}

TEST_CASE("what curl extracts is what its parameters ask for") {
  if (no_curl()) return;
  const Rig rig;
  const auto& all = rig.capture.trace;
  const auto from = all[200].time, to = all[500].time;
  REQUIRE(rig.get("/api/extract", {"filter=udp and not vlan", "from=" + rfc3339(from), "to=" + rfc3339(to)}).out ==
          "200");
  Trace expected;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].time >= from && all[i].time < to) expected.append(all[i]);
  expected = matching(expected, "udp and not vlan");
  CHECK(expected.size() > 10);
  CHECK(compare_in_order(expected, read_pcap(rig.out)) == "");

  REQUIRE(rig.get("/api/extract", {"format=pcapng", "slice=40", "limit=17"}).out == "200");
  const auto sliced = read_pcap(rig.out);
  CHECK(sliced.size() == 17);
  CHECK(compare_as_subsequence(all, sliced, 40) == "");
  CHECK(rig.body().starts_with("\x0a\x0d\x0d\x0a"));
}

TEST_CASE("an empty parameter, as a form sends it, is none") {
  if (no_curl()) return;
  const Rig rig;
  REQUIRE(rig.get("/api/extract", {"filter=", "flow=", "from=", "limit="}).out == "200");
  CHECK(read_pcap(rig.out).size() == rig.capture.trace.size());
}

TEST_CASE("a filter that does not compile is 400 in libpcap's words, and so is whatever else is wrong") {
  if (no_curl()) return;
  const Rig rig;
  CHECK(rig.get("/api/extract", {"filter=host and and"}).out == "400");
  const auto error = Json::parse(rig.body());
  CHECK(error["what"] == "filter");
  CHECK(error["why"].get<std::string>().find("syntax error") != std::string::npos);
  CHECK(error.contains("what_to_do"));
  for (const std::string wrong : {"flow=1.2.3.4", "community_id=2:x", "format=csv", "slice=l7", "limit=0", "limit=-1",
                                  "from=yesterday", "to=x", "nonsense=1", "from=-1s&to=-2s"}) {
    INFO(wrong);
    const auto name = wrong.substr(0, wrong.find('='));
    const auto answer = get(rig.serving.port, "/api/extract?" + wrong, "Host: localhost\r\n");
    CHECK(is(answer, "400"));
    const auto what = Json::parse(body_of(answer))["what"].get<std::string>();
    CHECK(what == (name == "from" && wrong.find('&') != std::string::npos ? "to" : name));
  }
  CHECK(is(get(rig.serving.port, "/api/extract?limit=1&limit=2", "Host: localhost\r\n"), "400"));
}

TEST_CASE("captures, their ledgers and their verdicts are told") {
  if (no_curl()) return;
  const Rig rig;
  const auto captures = rig.json("/api/captures");
  REQUIRE(captures["captures"].size() == 1);
  CHECK(captures["captures"][0]["packets"] == rig.capture.trace.size());
  CHECK(captures["captures"][0]["files"].size() == rig.capture.paths.size());
  const auto name = format::capture_name("t", KeptCapture::start);
  const auto line = rig.json("/api/ledger", {"capture=" + name});
  CHECK(line["totals"]["stored"] == rig.capture.trace.size());
  const auto verdict = rig.json("/api/verify");
  CHECK(verdict["problem_count"] == 0);
  CHECK(verdict["files"].size() == rig.capture.paths.size());
}

TEST_CASE("a ledger is told up to its last whole line") {
  if (no_curl()) return;
  const Rig rig;
  std::ofstream(rig.capture.directory / format::ledger_file_name("t", KeptCapture::start), std::ios::app) << "{\"ti";
  REQUIRE(rig.get("/api/ledger", {"capture=" + format::capture_name("t", KeptCapture::start)}).out == "200");
  CHECK(rig.body().ends_with("}\n"));
}

TEST_CASE("an estimate bounds what an extraction will give, and reads less than everything") {
  if (no_curl()) return;
  const Rig rig;
  const auto& all = rig.capture.trace;
  const std::vector<std::string> parameters{"from=" + rfc3339(all[100].time), "to=" + rfc3339(all[150].time),
                                            "filter=udp"};
  const auto estimate = rig.json("/api/estimate", parameters);
  REQUIRE(rig.get("/api/extract", parameters).out == "200");
  const auto extracted = read_pcap(rig.out).size();
  INFO(estimate.dump());
  CHECK(extracted > 0);
  CHECK(estimate["packets_at_most"].get<std::uint64_t>() >= extracted);
  CHECK(estimate["packets_at_most"].get<std::uint64_t>() < all.size());
  CHECK(estimate["files"] == rig.capture.paths.size());
  CHECK(estimate["files_to_read"].get<std::uint64_t>() < rig.capture.paths.size());
  CHECK(estimate["bytes_to_read"].get<std::uint64_t>() < estimate["bytes"].get<std::uint64_t>());
  CHECK(estimate["blocks_at_most"].get<std::uint64_t>() > 0);
  const auto everything = rig.json("/api/estimate");
  CHECK(everything["packets_at_most"] == all.size());
  CHECK(everything["bytes_to_read"].get<std::uint64_t>() <= everything["bytes"].get<std::uint64_t>());
  REQUIRE(fs::remove(fs::path(rig.capture.paths[0]).replace_extension(".idx")));
  CHECK(rig.json("/api/estimate")["packets_at_most"].is_null());
}

TEST_CASE("captures come with the free bytes of what they are on, as statvfs has them") {
  if (no_curl()) return;
  const Rig rig;
  const auto drives = rig.json("/api/captures")["drives"];
  REQUIRE(drives.size() == 1);
  CHECK(drives[0]["directory"] == rig.directories()[0]);
  const auto space = fs::space(rig.directories()[0]);
  CHECK(drives[0]["total_bytes"] == space.capacity);
  CHECK(drives[0]["free_bytes"].get<std::uint64_t>() <= space.capacity);
  CHECK(drives[0]["file_system"] == 0);
}

TEST_CASE("of a ledger as many lines are sent as are asked for") {
  if (no_curl()) return;
  const Rig rig;
  const auto name = format::capture_name("t", KeptCapture::start);
  const auto path = rig.capture.directory / format::ledger_file_name("t", KeptCapture::start);
  std::ofstream(path) << "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n{\"n\":";
  const auto lines = [&](const std::string& parameter) {
    const auto result = rig.get("/api/ledger", {"capture=" + name, parameter});
    return result.out == "200" ? rig.body() : result.out;
  };
  CHECK(lines("last=") == "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n{\"n\":5}\n");
  CHECK(lines("last=2") == "{\"n\":4}\n{\"n\":5}\n");
  CHECK(lines("lines=3") == "{\"n\":1}\n{\"n\":3}\n{\"n\":5}\n");
  for (const char* wrong : {"last=0", "last=-1", "lines=x", "lines=100001"}) CHECK(lines(wrong) == "400");
  CHECK(rig.get("/api/ledger", {"capture=" + name, "lines=2", "last=2"}).out == "400");
}

TEST_CASE("the page asks nobody but the service, and may not be framed") {
  const Rig rig;
  for (const std::string path : {"/", "/page.css", "/page.js", "/ledgers.js", "/timeline.js", "/uPlot.iife.min.js",
                                 "/uPlot.min.css", "/uPlot.LICENSE"}) {
    const auto answer = get(rig.serving.port, path, "Host: localhost\r\n");
    INFO(path);
    CHECK(is(answer, "200"));
    CHECK(answer.find("\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; ") != std::string::npos);
    CHECK(answer.find("frame-ancestors 'none'") != std::string::npos);
    CHECK(answer.find("\r\nX-Content-Type-Options: nosniff\r\n") != std::string::npos);
    CHECK(body_of(answer).size() > 1'000);
    if (path.starts_with("/uPlot")) continue;  // its author's banner names his site
    for (const char* foreign : {"http://", "https://", "src=\"//", "@import", "@VERSION@", "innerHTML", "onclick=\""})
      CHECK(body_of(answer).find(foreign) == std::string::npos);
  }
  const auto page = body_of(get(rig.serving.port, "/", "Host: localhost\r\n"));
  CHECK(page.find("href=\"page.css\"") != std::string::npos);
  CHECK(page.find("src=\"page.js\"") != std::string::npos);
}

TEST_CASE("the description names what is served and nothing else") {
  if (no_curl()) return;
  const Rig rig;
  const auto description = rig.json("/api/openapi.json");
  CHECK(description["info"]["version"] == wirespool::version);
  std::set<std::string> told;
  for (const auto& [path, methods] : description["paths"].items()) {
    INFO(path);
    told.insert(path);
    for (const auto& [method, operation] : methods.items()) {
      auto name = method;
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      const auto answer = get(rig.serving.port, path, "Host: localhost\r\nContent-Length: 0\r\n", name);
      const auto status = answer.substr(answer.find(' ') + 1, 3);
      CHECK(status != "404");
      CHECK(status != "405");
      CHECK(operation["responses"].contains(status));
    }
  }
  CHECK(told == std::set<std::string>{"/healthz", "/api/service", "/api/captures", "/api/ledger", "/api/extract",
                                      "/api/estimate", "/api/verify", "/api/pins", "/api/openapi.json", "/query"});
  std::set<std::string> parameters;
  for (const auto& [name, parameter] : description["components"]["parameters"].items())
    parameters.insert(parameter["name"].get<std::string>());
  CHECK(parameters ==
        std::set<std::string>{"from", "to", "filter", "flow", "community_id", "inner", "format", "slice", "limit"});
  for (const auto& name : parameters) CHECK(rig.get("/api/estimate", {name + "="}).out == "200");
}

TEST_CASE("a directory that is not there, or is none, is refused before anything listens") {
  const TempDir temp;
  touch(temp / "file");
  for (const auto& place : {temp / "nowhere", temp / "file"}) {
    const auto result = run_process({std::getenv("WIRESPOOL"), "serve", "--listen",
                                     "127.0.0.1:" + std::to_string(free_port()), temp.str(), place.string()});
    INFO(result.describe());
    CHECK(result.exit_code == 1);
    CHECK(result.err.starts_with("wirespool: " + place.string() + ": "));
    CHECK(std::ranges::count(result.err, '\n') == 1);
  }
}

TEST_CASE("no path of a request is one of the machine's") {
  const Rig rig;
  const auto here = rig.capture.directory.string();
  for (const std::string path :
       {"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/api/../etc/passwd", "/api/captures/",
        "/api/ledger?capture=../../../etc/passwd", "/api/ledger?capture=/etc/passwd", "/api/ledger?capture=%00"}) {
    INFO(path);
    const auto answer = get(rig.serving.port, path, "Host: localhost\r\n");
    CHECK(is(answer, "404"));
    CHECK(answer.find("root:") == std::string::npos);
    CHECK(Json::parse(body_of(answer)).contains("what_to_do"));
  }
  CHECK(is(get(rig.serving.port, "/api/extract?places=/etc", "Host: localhost\r\n"), "400"));
}

TEST_CASE("a browser that was led to the loopback by a foreign name is refused") {
  const Rig rig;
  const auto ask = [&](const std::string& host) {
    const Client client(rig.serving.port);
    client.say("GET /api/captures HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return client.hear();
  };
  CHECK(is(ask("attacker.example:80"), "421"));
  CHECK(is(ask("127.0.0.1.attacker.example"), "421"));
  CHECK(is(ask("localhost"), "200"));
  CHECK(is(ask("127.0.0.1:8080"), "200"));
  CHECK(is(ask("[::1]:8080"), "200"));
}

TEST_CASE("each query is a line of the log, whatever is in it") {
  if (no_curl()) return;
  Rig rig;
  REQUIRE(rig.get("/api/extract", {"limit=5"}).out == "200");
  const auto line = rig.serving.line_with("limit=5", " whole");
  INFO(rig.serving.log());
  CHECK(line.find("status=200") != std::string::npos);
  CHECK(line.find("packets=5 ") != std::string::npos);
  CHECK(line.find("client=127.0.0.1:") != std::string::npos);
  get(rig.serving.port, "/x?\"\x1b[2J\xc2\x9b", "Host: localhost\r\n");
  CHECK(rig.serving.line_with("asked=\"GET /x?\\\"", "status=404") != "");
  CHECK(rig.serving.log().find('\x1b') == std::string::npos);
}

TEST_CASE("an answer that is not whole does not look whole") {
  if (no_curl()) return;
  SECTION("a file is damaged") {
    Rig rig;
    const auto path = rig.capture.paths.back();
    fs::resize_file(path, fs::file_size(path) - 3);
    const auto result = rig.get("/api/extract");
    INFO(result.describe());
    CHECK(result.exit_code == cut_off);
    INFO(rig.serving.log());
    CHECK(rig.serving.line_with("/api/extract", "broken-off=").find(fs::path(path).filename()) != std::string::npos);
  }
  SECTION("it is longer than it may be") {
    Rig rig({"--size-limit", "100KiB"});
    CHECK(rig.get("/api/extract").exit_code == cut_off);
    CHECK(rig.serving.line_with("/api/extract", "broken-off=\"it is longer than --size-limit\"") != "");
    CHECK(rig.get("/api/extract", {"limit=10"}).ok());
  }
  SECTION("the client speaks a version that could not see it") {
    const Rig rig;
    const Client client(rig.serving.port);
    client.say("GET /api/extract HTTP/1.0\r\nHost: localhost\r\n\r\n");
    CHECK(client.hear().find(" 505 ") != std::string::npos);
  }
}

TEST_CASE("a client that reads nothing holds its own query up, and no more of it is read than it takes") {
  if (no_curl()) return;
  Rig rig({"--queries", "1"}, many);
  REQUIRE(rig.capture.trace.bytes() > 15'000'000);
  {
    const Stalled stalled(rig.serving);
    REQUIRE(becomes(rig, "503"));
    CHECK(rig.get("/api/captures").out == "200");
    CHECK(rig.get("/healthz").out == "200");
  }
  const auto line = rig.serving.line_with("asked=\"GET /api/extract\"", "broken-off=\"the client has gone\"");
  REQUIRE(line != "");
  const auto bytes = std::stoull(line.substr(line.find("bytes=") + 6));
  CHECK(bytes < rig.capture.trace.bytes());
  CHECK(becomes(rig, "200"));
}

TEST_CASE("a query that takes too long is ended") {
  if (no_curl()) return;
  Rig rig({"--time-limit", "300ms"}, many);
  const Stalled stalled(rig.serving);
  CHECK(rig.serving.line_with("/api/extract", "broken-off=\"it took longer than --time-limit\"") != "");
}

TEST_CASE("SIGTERM ends the service in order, with queries that run and clients that say nothing") {
  if (no_curl()) return;
  Rig rig({"--queries", "1"}, many);
  const Client silent(rig.serving.port);
  const Stalled stalled(rig.serving);
  REQUIRE(becomes(rig, "503"));
  const auto result = rig.serving.stop();
  INFO(result.describe());
  CHECK(result.ok());
  CHECK(result.err.find("broken-off=\"the service ends\"") != std::string::npos);
  CHECK(result.err.ends_with("ended\n"));
}

TEST_CASE("a service that listens has given up programs and new sockets, in every thread") {
  if (run_process({std::getenv("WIRESPOOL"), "--version"}).out.find("without libseccomp") != std::string::npos)
    return skip("sandbox", "built without libseccomp");
  const Rig rig;
  std::size_t threads = 0;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(rig.serving.pid()) + "/task")) {
    std::ifstream file(task.path() / "status");
    const std::string status((std::istreambuf_iterator<char>(file)), {});
    if (status.empty()) continue;  // it has ended
    ++threads;
    INFO(status);
    CHECK(status.find("\nSeccomp:\t2\n") != std::string::npos);
    CHECK(status.find("\nNoNewPrivs:\t1\n") != std::string::npos);
  }
  CHECK(threads > 1);
}

TEST_CASE("garbage, huge heads and silence harm nobody else") {
  if (no_curl()) return;
  const Rig rig;
  std::vector<Client> silent;
  for (int i = 0; i < 8; ++i) silent.emplace_back(rig.serving.port);
  const std::string filler(200'000, 'a');
  const std::vector<std::string> garbage{
      "\x16\x03\x01\x02\xff\x01\xff\x01\xfc\x03\x03",
      "\r\n\r\n\r\n",
      "GET /api/captures HTTP/1.1\r\nX: " + filler + "\r\n\r\n",
      "GET /" + filler,
      "POST /api/extract HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
      "GET /api/captures HTTP/9.9\r\n\r\n"};
  for (const auto& text : garbage) {
    const Client client(rig.serving.port);
    client.say(text);
    CHECK(rig.get("/api/captures").out == "200");
  }
}

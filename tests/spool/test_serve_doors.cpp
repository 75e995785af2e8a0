// SPDX-License-Identifier: BSD-3-Clause
// Who may ask `wirespool serve`: TLS, tokens and clients' certificates, by curl and certificates of openssl's making.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "spool/kept_capture.hpp"
#include "spool/papers.hpp"
#include "spool/serving.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"
#include "wirespool/filter.hpp"
#include "wirespool/time_text.hpp"

using namespace wirespool;
using namespace wirespool::test;
namespace fs = std::filesystem;

namespace {

bool tools_are_missing() {
  if (have_program("curl") && have_program("openssl")) return false;
  skip("doors of wirespool serve", "curl or openssl is not here: apt-get install curl openssl");
  return true;
}

struct Rig {
  Papers papers;
  KeptCapture capture;
  fs::path out = papers.directory / "out";

  std::vector<std::string> directories() const { return {capture.directory.string()}; }

  ProcessResult ask(const Serving& serving, const std::string& path, const Command& options) const {
    const auto url = "https://probe.test:" + std::to_string(serving.port) + path;
    const auto here = "probe.test:" + std::to_string(serving.port) + ":127.0.0.1";
    return run_process(curl(url, {},
                            Papers::joined({"--noproxy", "*", "--resolve", here, "--cacert", papers.path("ca.pem"),
                                            "-o", out.string(), "-w", "%{http_code}"},
                                           options)));
  }
};

Command with(const std::string& shown) { return {"-H", "Authorization: Bearer " + shown}; }

}  // namespace

TEST_CASE("where others could listen in or ask, nothing is served, and one line says why") {
  if (tools_are_missing()) return;
  const Papers papers;
  struct Case {
    std::string address;
    Command options;
    std::string why;
  };
  const std::vector<Case> cases{
      {"0.0.0.0:8080", {}, "--listen: 0.0.0.0:8080 can be reached from elsewhere, where others listen in"},
      {"[::]:8080",
       {"--token-file", papers.path("tokens")},
       "--listen: [::]:8080 can be reached from elsewhere, where"},
      {"192.0.2.1:8080", papers.tls(), "--listen: 192.0.2.1:8080 can be reached from elsewhere, and anybody could ask"},
      {"127.0.0.1:8080", {"--tls-cert", papers.path("service.pem")}, "--tls-cert: TLS takes both"},
      {"127.0.0.1:8080", {"--tls-key", papers.path("service.key")}, "--tls-key: TLS takes both"},
      {"127.0.0.1:8080",
       {"--client-ca", papers.path("ca.pem")},
       "--client-ca: clients show certificates in TLS alone"}};
  for (const auto& [address, options, why] : cases) {
    const auto result =
        run_process(Papers::joined({std::getenv("WIRESPOOL"), "serve", "--listen", address, "."}, options));
    INFO(result.describe());
    CHECK(result.exit_code == 1);
    CHECK(result.err.starts_with("wirespool: " + why));
    CHECK(std::ranges::count(result.err, '\n') == 1);
  }
}

TEST_CASE("secrets that others may read, that are none or that do not fit are refused") {
  if (tools_are_missing()) return;
  const Papers papers;
  const auto everybody = fs::perms(0644);
  papers.write("open-tokens", token + "\n", everybody);
  papers.write("short", "# one\n1234567\n");
  papers.write("empty", "# none\n\n");
  papers.write("blank", "0123456789 0123456789\n");
  fs::copy_file(papers.path("service.key"), papers.path("open.key"));
  fs::permissions(papers.path("open.key"), everybody);
  const auto certificate = papers.path("service.pem");
  const std::vector<std::pair<Command, std::string>> cases{
      {{"--token-file", papers.path("open-tokens")}, "every user of this machine may read or write it: chmod o="},
      {{"--token-file", papers.path("short")}, "line 2 has fewer than 16 characters"},
      {{"--token-file", papers.path("empty")}, "there is no token in it"},
      {{"--token-file", papers.path("blank")}, "line 1 has blanks"},
      {{"--token-file", papers.path("nothing")}, "No such file or directory"},
      {{"--tls-cert", certificate, "--tls-key", papers.path("open.key")}, "every user of this machine may read"},
      {{"--tls-cert", certificate, "--tls-key", papers.path("alice.key")}, "--tls-key: "},
      {{"--tls-cert", papers.path("tokens"), "--tls-key", papers.path("service.key")}, "--tls-cert: "},
      {Papers::joined(papers.tls(), {"--client-ca", papers.path("tokens")}), "--client-ca: "}};
  for (const auto& [options, why] : cases) {
    const auto result = run_process(Papers::joined(
        {std::getenv("WIRESPOOL"), "serve", "--listen", "127.0.0.1:" + std::to_string(free_port()), "."}, options));
    INFO(result.describe());
    CHECK(result.exit_code == 2);
    CHECK(result.err.find(why) != std::string::npos);
    CHECK(std::ranges::count(result.err, '\n') == 1);
  }
}

TEST_CASE("from elsewhere, by TLS and with a token, packets are as they were captured; without one nothing is told") {
  if (tools_are_missing()) return;
  const Rig rig;
  Serving serving(rig.directories(), rig.papers.tls_and_tokens(), "0.0.0.0");
  const auto known = rig.ask(serving, "/api/extract", with(other_token));
  INFO(known.describe() << serving.log());
  REQUIRE(known.ok());
  CHECK(known.out == "200");
  CHECK(compare_in_order(rig.capture.trace, read_pcap(rig.out)) == "");
  CHECK(serving.line_with("/api/extract", "by=\"token of line 4\"") != "");
  for (const Command& options :
       {with(token + "0"), with(token.substr(1)), with(""), with("# for tests"), Command{},
        Command{"-H", "Authorization: Basic " + token}, Command{"-H", "Authorization: " + token}}) {
    CHECK(rig.ask(serving, "/api/captures", options).out == "401");
    CHECK(fs::file_size(rig.out) < 400);
  }
  CHECK(serving.line_with("/api/captures", "status=401") != "");
  CHECK(serving.log().find(token) == std::string::npos);
  CHECK(rig.ask(serving, "/api/captures", {"-H", "Authorization: bearer " + token}).out == "200");
  for (const char* open : {"/healthz", "/", "/page.js", "/page.css", "/api/openapi.json"})
    CHECK(rig.ask(serving, open, {}).out == "200");
  CHECK(serving.log().find("page.js") == std::string::npos);  // no query
  CHECK(serving.stop().ok());
}

TEST_CASE("with --client-ca only those that it signed are answered, by name") {
  if (tools_are_missing()) return;
  const Rig rig;
  Serving serving(rig.directories(), rig.papers.tls_and_certificates(), "0.0.0.0");
  const auto shown = [&](const std::string& name) {
    return rig.ask(serving, "/api/captures",
                   {"--cert", rig.papers.path(name + ".pem"), "--key", rig.papers.path(name + ".key")});
  };
  const auto alice = shown("alice");
  INFO(alice.describe() << serving.log());
  CHECK(alice.out == "200");
  CHECK(serving.line_with("/api/captures", "by=\"CN=alice\"") != "");
  CHECK_FALSE(shown("stranger").ok());
  CHECK_FALSE(rig.ask(serving, "/api/captures", {}).ok());
  CHECK(serving.line_with("asked=\"TLS\"", "broken-off=\"") != "");
  CHECK_FALSE(rig.ask(serving, "/healthz", {}).ok());
}

TEST_CASE("what stenographer's stenoread sends is answered as stenographer would") {
  if (tools_are_missing()) return;
  const Rig rig;
  Serving serving(rig.directories(), rig.papers.tls_and_certificates());
  const Command alice{"--cert", rig.papers.path("alice.pem"), "--key", rig.papers.path("alice.key")};
  // As its script has curl send it, and by the script itself where it is installed.
  const auto post = [&](const std::string& query, const Command& headers = {}) {
    auto words = Papers::joined({"curl"}, Papers::joined(alice, {"--cacert", rig.papers.path("ca.pem")}));
    words = Papers::joined(words, {"--noproxy", "*", "-d", query, "--silent", "--max-time", "120", "--show-error"});
    words = Papers::joined(words, headers);
    return run_process(Papers::joined(words, {"-w", "%{http_code}", "-o", rig.out.string(),
                                              "https://127.0.0.1:" + std::to_string(serving.port) + "/query"}));
  };
  const auto middle = rig.capture.trace[400].time;
  Trace late_udp, before;
  auto udp = Filter::compile("udp");
  REQUIRE(udp);
  for (std::size_t i = 0; i < rig.capture.trace.size(); ++i) {
    const auto packet = rig.capture.trace[i];
    if (packet.time < middle)
      before.append(packet);
    else if (udp->matches({packet, 1, 0, {}}))
      late_udp.append(packet);
  }
  const auto query = "udp and after " + rfc3339(middle);
  const auto answer = post(query);
  INFO(answer.describe() << serving.log());
  REQUIRE(answer.out == "200");
  CHECK(late_udp.size() > 10);
  CHECK(compare_in_order(late_udp, read_pcap(rig.out)) == "");
  CHECK(serving.line_with("asked=\"POST /query " + query + "\"", "by=\"CN=alice\"") != "");

  REQUIRE(post("(tcp && port 1) or before " + rfc3339(middle)).out == "200");
  CHECK(compare_as_subsequence(rig.capture.trace, read_pcap(rig.out)) == "");
  CHECK(read_pcap(rig.out).size() >= before.size());
  REQUIRE(post("before 1h ago and after 5m ago").out == "200");
  CHECK(read_pcap(rig.out).size() == 0);
  CHECK(post("host example.org").out == "400");
  CHECK(post("").out == "400");

  const Command by_packets{"--header", "Steno-Limit-Packets:7"}, by_bytes{"--header", "Steno-Limit-Bytes:2048"};
  REQUIRE(post(query, by_packets).out == "200");
  CHECK(read_pcap(rig.out).size() == 7);
  REQUIRE(post(query, by_bytes).out == "200");
  const auto limited = read_pcap(rig.out);
  CHECK(limited.bytes() >= 2048);
  CHECK(limited.bytes() - limited[limited.size() - 1].caplen() < 2048);
  CHECK(post(query, {"--header", "Steno-Limit-Bytes:many"}).out == "400");

  if (!have_program("stenoread") || !have_program("jq")) return;
  for (const auto& [from, to] :
       {std::pair("alice.pem", "client_cert.pem"), {"alice.key", "client_key.pem"}, {"ca.pem", "ca_cert.pem"}})
    fs::copy_file(rig.papers.path(from), rig.papers.path(to));
  rig.papers.write("config", R"({"Host":"127.0.0.1","Port":)" + std::to_string(serving.port) + R"(,"CertPath":")" +
                                 rig.papers.directory.str() + "\"}\n");
  const auto read = run_process({"env", "NO_PROXY=*", "STENOGRAPHER_CONFIG=" + rig.papers.path("config"), "stenoread",
                                 query, "-w", rig.papers.path("steno.pcap")});
  INFO(read.describe());
  REQUIRE(read.ok());
  CHECK(compare_in_order(late_udp, read_pcap(rig.papers.path("steno.pcap"))) == "");
}

TEST_CASE("old TLS, no TLS, garbage and half a handshake harm nobody else") {
  if (tools_are_missing()) return;
  const Rig rig;
  const Serving serving(rig.directories(), rig.papers.tls_and_tokens());
  std::vector<Client> silent;
  const std::string hello("\x16\x03\x01\x02\x10\x01\x00\x02\x0c\x03\x03", 11);
  for (const auto& text : {std::string(), std::string("\x16"), hello, std::string(100'000, '\x16')}) {
    silent.emplace_back(serving.port);
    silent.back().say(text);
  }
  const auto plain = get(serving.port, "/api/captures");
  CHECK(plain.find("captures") == std::string::npos);
  CHECK_FALSE(rig.ask(serving, "/api/captures", Papers::joined(with(token), {"--tls-max", "1.1"})).ok());
  CHECK(rig.ask(serving, "/api/captures", Papers::joined(with(token), {"--tls-max", "1.2"})).out == "200");
  CHECK(rig.ask(serving, "/api/captures", with(token)).out == "200");
}

TEST_CASE("an answer over TLS that is not whole does not look whole") {
  if (tools_are_missing()) return;
  const Rig rig;
  Serving serving(rig.directories(), Papers::joined(rig.papers.tls_and_tokens(), {"--size-limit", "100KiB"}));
  const auto result = rig.ask(serving, "/api/extract", with(token));
  INFO(result.describe());
  CHECK_FALSE(result.ok());
  CHECK(serving.line_with("/api/extract", "broken-off=\"it is longer than --size-limit\"") != "");
}

TEST_CASE("a token works on the loopback without TLS, and with one any Host is taken") {
  if (tools_are_missing()) return;
  const Rig rig;
  const Serving serving(rig.directories(), {"--token-file", rig.papers.path("tokens")});
  CHECK(is(get(serving.port, "/api/captures"), "401"));
  CHECK(is(get(serving.port, "/api/captures", "Authorization: Bearer " + token + "\r\n"), "200"));
}

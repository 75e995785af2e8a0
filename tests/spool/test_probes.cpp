// SPDX-License-Identifier: BSD-3-Clause
// `wirespool extract` and `ls` of services elsewhere: real services, each of a part of one capture's files.
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "spool/kept_capture.hpp"
#include "spool/papers.hpp"
#include "spool/serving.hpp"
#include "support/catch.hpp"
#include "support/loopback_client.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/trace_compare.hpp"
#include "wirespool/time_text.hpp"

using namespace wirespool;
using namespace wirespool::test;
using Catch::Contains;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

// One capture, its files dealt out to three directories.
struct Fleet {
  KeptCapture capture;
  fs::path a = capture.directory, b = capture.temp / "b", local = capture.temp / "local",
           out = capture.temp / "out.pcap";

  explicit Fleet(Layout::Index index = Layout::Index::flow, std::uint32_t packets = 1000) : capture(index, packets) {
    capture.write_plan();
    for (const auto& directory : {b, local}) fs::create_directory(directory);
    for (std::size_t i = 0; i < capture.paths.size(); ++i)
      if (i % 3 != 0) move_with_index(capture.paths[i], i % 3 == 1 ? b : local);
  }

  static void move_with_index(const fs::path& file, const fs::path& to) {
    for (auto path : {file, fs::path(file).replace_extension(".idx")})
      if (fs::exists(path)) fs::rename(path, to / path.filename());
  }
};

Command words(const char* command, const Command& more) {
  Command all{std::getenv("WIRESPOOL"), command};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

ProcessResult extract(const Command& more) { return run_process(words("extract", more)); }

bool is_one_line(const std::string& text) { return std::ranges::count(text, '\n') == 1; }

// Answers once, with these bytes.
class Impostor {
 public:
  explicit Impostor(const std::string& answer) : process_({"python3", "-c", script, std::to_string(port), answer}) {
    REQUIRE(process_.wait_for_output("listening", Seconds(60)));
  }
  std::uint16_t port = free_port();
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port); }

 private:
  static constexpr const char* script = R"(
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    client, _ = server.accept()
    client.recv(65536)
    client.sendall(sys.argv[2].encode().decode("unicode_escape").encode("latin-1"))
    client.close()
)";
  Process process_;
};

}  // namespace

TEST_CASE("what two services and a directory have comes as one stream in order of time") {
  const Fleet fleet;
  const Serving a({fleet.a.string()}), b({fleet.b.string()});
  const auto done = extract({a.url(""), b.url("/"), fleet.local.string(), "-w", fleet.out.string()});
  INFO(done.describe() << a.log() << b.log());
  REQUIRE(done.ok());
  CHECK(compare_in_order(fleet.capture.trace, read_pcap(fleet.out)) == "");
}

TEST_CASE("the far end filters, by all that is asked for, and sends no more than that") {
  const Fleet fleet;
  Serving a({fleet.a.string()}), b({fleet.b.string()});
  const auto from = rfc3339(fleet.capture.trace[200].time), to = rfc3339(fleet.capture.trace[700].time);
  const auto done = extract({a.url(""), b.url(""), fleet.local.string(), "--from", from, "--to", to, "--filter",
                             "udp and not vlan", "-w", fleet.out.string()});
  INFO(done.describe() << a.log());
  REQUIRE(done.ok());
  Trace middle;
  for (std::size_t i = 200; i < 700; ++i) middle.append(fleet.capture.trace[i]);
  const auto wanted = matching(middle, "udp and not vlan");
  REQUIRE(wanted.size() > 50);
  CHECK(compare_in_order(wanted, read_pcap(fleet.out)) == "");
  const auto asked = a.line_with("/api/extract", "filter=udp");
  CHECK_THAT(asked, Contains("from=2026") && Contains("whole"));
}

TEST_CASE("two outputs with a filter each, and slices, are right although services filter for both at once") {
  const Fleet fleet;
  const Serving a({fleet.a.string()}), b({fleet.b.string()});
  const auto other = fleet.capture.temp / "other.pcap";
  const auto done = extract({a.url(""), b.url(""), fleet.local.string(), "--slice", "l3", "--filter", "less 399", "-w",
                             fleet.out.string(), "--filter", "greater 400", "-w", other.string()});
  INFO(done.describe());
  REQUIRE(done.ok());
  const auto& trace = fleet.capture.trace;
  REQUIRE(matching(trace, "greater 400").size() > 50);
  CHECK(read_pcap(fleet.out).size() == matching(trace, "less 399").size());
  CHECK(read_pcap(other).size() == matching(trace, "greater 400").size());
  CHECK(read_pcap(other).bytes() < matching(trace, "greater 400").bytes());
}

TEST_CASE("a service whose answer breaks off is told of, and there is no output that looks whole") {
  const Fleet fleet(Layout::Index::flow, 20'000);
  const Serving whole({fleet.b.string()});
  Serving cut({fleet.a.string()}, {"--size-limit", "100KiB"});
  const auto done = extract({whole.url(""), cut.url(""), fleet.local.string(), "-w", fleet.out.string()});
  CHECK(done.exit_code == 2);
  CHECK(is_one_line(done.err));
  CHECK_THAT(done.err, Contains(cut.url("") + ": the answer broke off, its end is missing"));
  CHECK_FALSE(fs::exists(fleet.out));
}

TEST_CASE("a service that is not there, refuses, or is none is one line with its URL, and no output") {
  const Fleet fleet;
  const Serving a({fleet.a.string()});
  const auto nobody = "http://127.0.0.1:" + std::to_string(free_port());
  const Impostor garbage("\\x00\\x01 garbage"), other("HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello"),
      lost("HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n5\\r\\nhello\\r\\n");
  const std::vector<std::pair<Command, std::string>> cases{
      {{nobody}, nobody + ": there is no connection"},
      {{garbage.url()}, garbage.url() + ": "},
      {{other.url()}, other.url() + ": its answer is none of wirespool serve's"},
      {{lost.url()}, lost.url() + ": the answer broke off"},
      {{a.url(""), "--filter", "port nonsense"}, a.url("") + ": filter: "},
      {{a.url("/api/extract")}, a.url("/api/extract") + ": it is not scheme, host and port alone"},
      {{"https://user:secret@127.0.0.1:1"}, "it is not scheme, host and port alone"},
      {{a.url(""), "--follow"}, "--follow: services elsewhere are not followed"},
      {{a.url(""), "--client-cert", "x.pem"}, "--client-cert: a certificate takes its key"},
      {{a.url(""), "--token-file", "/nowhere/token"}, "--token-file: /nowhere/token: No such file"}};
  for (auto [places, why] : cases) {
    CAPTURE(why);
    places.insert(places.end(), {"-w", fleet.out.string()});
    const auto done = extract(places);
    INFO(done.describe());
    CHECK(done.exit_code != 0);
    CHECK_THAT(done.err, Contains(why));
    CHECK(is_one_line(done.err));
    CHECK_FALSE(fs::exists(fleet.out));
  }
}

TEST_CASE("what a service knows to be missing is told with its name, and --strict makes it exit code 4") {
  const Fleet fleet;
  const auto ledger =
      format::encode_ledger_line(ledger_line(Timestamp{KeptCapture::start.ns + 60 * KeptCapture::second},
                                             fleet.capture.trace.size() + 7, fleet.capture.trace.bytes(), 7, true));
  const auto line = ledger + "\n", json = capture_json({.drives = 1}, ledger);
  write_bytes(fleet.a / format::capture_file_name("t", KeptCapture::start), std::as_bytes(std::span(json)));
  write_bytes(fleet.a / format::ledger_file_name("t", KeptCapture::start), std::as_bytes(std::span(line)));
  const Serving a({fleet.a.string()});
  const auto done = extract({a.url(""), "--strict", "-w", fleet.out.string()});
  INFO(done.describe());
  CHECK(done.exit_code == 4);
  CHECK_THAT(done.err, Contains(a.url("") + ": ") && Contains("7"));
  CHECK(extract({a.url(""), "-w", fleet.out.string()}).exit_code == 0);
}

TEST_CASE("by TLS a service is believed if a CA that was named signed it, and shown a token or a certificate") {
  if (!have_program("openssl")) return skip("TLS", "openssl is not here: apt-get install openssl");
  const Fleet fleet;
  const Papers papers;
  const Serving tokens({fleet.a.string()}, papers.tls_and_tokens());
  const Serving certificates({fleet.a.string()}, papers.tls_and_certificates());
  const auto url = [](const Serving& serving) { return "https://127.0.0.1:" + std::to_string(serving.port); };
  const auto ask = [&](const Serving& serving, Command more) {
    more.insert(more.end(), {url(serving), "-w", fleet.out.string()});
    return extract(more);
  };
  const Command ca{"--ca", papers.path("ca.pem")};
  const auto told = ask(tokens, Papers::joined(ca, {"--token-file", papers.path("tokens")}));
  INFO(told.describe() << tokens.log());
  CHECK(told.ok());
  CHECK(compare_as_subsequence(fleet.capture.trace, read_pcap(fleet.out)) == "");
  fs::remove(fleet.out);
  const auto nobody = ask(tokens, ca);
  CHECK(nobody.exit_code == 2);
  CHECK_THAT(nobody.err, Contains("it wants a token, or another one: give --token-file"));
  const auto unknown = ask(tokens, {"--token-file", papers.path("tokens")});
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.err,
             Contains("its certificate is not one for that name that a known CA signed: give its CA by --ca"));
  CHECK_FALSE(fs::exists(fleet.out));
  const auto alice =
      ask(certificates,
          Papers::joined(ca, {"--client-cert", papers.path("alice.pem"), "--client-key", papers.path("alice.key")}));
  INFO(alice.describe() << certificates.log());
  CHECK(alice.ok());
  fs::remove(fleet.out);
  const auto stranger = ask(certificates, ca);
  CHECK(stranger.exit_code == 2);
  CHECK(is_one_line(stranger.err));
  CHECK_FALSE(fs::exists(fleet.out));
}

TEST_CASE("a token is not shown to another machine in plain text") {
  const Papers papers;
  const auto done = extract({"http://192.0.2.1:8080", "--token-file", papers.path("tokens"), "-w", "-"});
  CHECK(done.exit_code == 2);
  CHECK_THAT(done.err, Contains("http://192.0.2.1:8080: the token could be read on its way there: ask by https://"));
}

TEST_CASE("ls lists what services have, each with its URL, as text and as JSON") {
  const Fleet fleet;
  const Serving a({fleet.a.string()}), b({fleet.b.string()});
  const auto text = run_process(words("ls", {a.url(""), fleet.local.string(), b.url("")}));
  INFO(text.describe());
  REQUIRE(text.ok());
  const auto of_a = run_process(words("ls", {fleet.a.string()})).out;
  CHECK_THAT(text.out, Contains(a.url("") + "\n" + of_a) && Contains(b.url("") + "\n"));
  const auto json = run_process(words("ls", {"--json", a.url(""), fleet.local.string(), b.url("")}));
  INFO(json.describe());
  REQUIRE(json.ok());
  const auto all = Json::parse(json.out);
  std::size_t files = 0;
  for (const auto& capture : all.at("captures")) files += capture.at("files").size();
  CHECK(files == fleet.capture.paths.size());
  CHECK(std::ranges::count_if(all.at("captures"),
                              [&](const auto& one) { return one.value("probe", "") == a.url(""); }) == 1);
  CHECK(std::ranges::count_if(all.at("captures"), [](const auto& one) { return !one.contains("probe"); }) == 1);
}

TEST_CASE("a service's text reaches no terminal with control characters") {
  const Impostor other("HTTP/1.1 200 OK\\r\\nContent-Length: 13\\r\\n\\r\\n\\x1b[31mred\\nnext");
  const auto done = run_process(words("ls", {other.url()}));
  INFO(done.describe());
  CHECK(done.ok());
  CHECK(done.out == other.url() + "\n\\x1b[31mred\nnext\n");
}

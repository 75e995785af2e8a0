// SPDX-License-Identifier: BSD-3-Clause
// `wirespool extcap`, as tshark and dumpcap run it: what they get is what `extract` gives.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "spool/reading_rig.hpp"
#include "spool/serving.hpp"
#include "spool/spool_rig.hpp"
#include "support/catch.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"
#include "support/temp_dir.hpp"
#include "support/trace_compare.hpp"
#include "wirespool/time_text.hpp"

using namespace wirespool;
using namespace wirespool::test;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

std::string program() { return std::getenv("WIRESPOOL"); }

ProcessResult extcap(Command arguments) {
  arguments.insert(arguments.begin(), {program(), "extcap"});
  return run_process(arguments);
}

constexpr unsigned nobody = 65534;

// Whoever tshark runs as may read what comes into this directory.
void open_to_readers(const fs::path& directory) {
  fs::permissions(directory.parent_path(), fs::perms(0755));
  if (::geteuid() == 0) REQUIRE(::chown(directory.c_str(), 0, nobody) == 0);
  fs::permissions(directory, fs::perms(02755));  // new files are of its group
}

// tshark with an extcap directory in which is what Meson installs there. It takes no such directory from root: then it
// is nobody.
class Shark {
  TempDir temp_;

 public:
  Shark() {
    const auto directory = temp_ / "extcap";
    fs::create_directory(directory);
    std::ofstream(directory / "wirespool") << "#!/bin/sh\nexec " << program() << " extcap \"$@\"\n";
    for (const auto& path : {temp_.path(), directory, directory / "wirespool"}) fs::permissions(path, fs::perms(0755));
    fs::create_directory(temp_ / "out");
    fs::permissions(temp_ / "out", fs::perms(0777));
  }

  fs::path out = temp_ / "out/out.pcapng";

  Command command(const Command& arguments) const {
    Command all{"env", "WIRESHARK_EXTCAP_DIR=" + (temp_ / "extcap").string(), "HOME=" + (temp_ / "out").string()};
    if (::geteuid() == 0)
      all.insert(all.end(),
                 {"setpriv", "--reuid", std::to_string(nobody), "--regid", std::to_string(nobody), "--clear-groups"});
    all.emplace_back("tshark");
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
  ProcessResult run(const Command& arguments) const { return run_process(command(arguments)); }

  // From the interface "wirespool" into `out`.
  Command capture(const std::vector<fs::path>& places, const Command& more = {}) const {
    std::string spool;
    for (const auto& place : places) spool += (spool.empty() ? "" : ",") + place.string();
    Command all{"-i", "wirespool", "-o", "extcap.wirespool.spool:" + spool, "-w", out.string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  bool runs() const { return run({"-D"}).out.find("wirespool") != std::string::npos; }
};

std::string why_no_shark() { return "tshark, or a place that nobody may read: apt-get install tshark util-linux"; }

// Two directories of one capture.
struct Stored {
  TempDir temp;
  std::vector<fs::path> directories{temp / "one", temp / "two"};
  Trace trace = make_trace({.kind = "mixed", .packets = 3'000});

  Stored() {
    for (const auto& directory : directories) {
      fs::create_directory(directory);
      open_to_readers(directory);
    }
    Layout layout;
    layout.directories = directories;
    (void)lay_out(trace, layout);
  }

  Trace extracted(const Command& options) const {
    const auto file = (temp / "extracted.pcap").string();
    Command command{program(), "extract", directories[0].string(), directories[1].string(), "-w", file};
    command.insert(command.end(), options.begin(), options.end());
    REQUIRE(run_process(command).ok());
    return read_pcap(file);
  }
};

}  // namespace

TEST_CASE("tshark shows wirespool as an interface, and gets from it what extract gives, to the nanosecond") {
  const Shark shark;
  if (!shark.runs()) return skip("tshark", why_no_shark());
  const Stored stored;
  const auto [filter, from, to] = GENERATE_COPY(table<std::string, std::size_t, std::size_t>(
      {{"", 0, 0}, {"less 100", 0, 0}, {"", 1'000, 2'000}, {"udp and less 200", 500, 2'500}}));
  Command asked, given;
  if (!filter.empty()) asked = {"-f", filter}, given = {"--filter", filter};
  if (to > 0) {
    const auto begin = rfc3339(stored.trace[from].time), end = rfc3339(stored.trace[to].time);
    asked.insert(asked.end(), {"-o", "extcap.wirespool.from:" + begin, "-o", "extcap.wirespool.to:" + end});
    given.insert(given.end(), {"--from", begin, "--to", end});
  }
  CAPTURE(filter, from, to);
  const auto result = shark.run(shark.capture(stored.directories, asked));
  INFO(result.describe());
  CHECK(result.ok());
  CHECK_THAT(result.err, !Contains("Error by extcap"));
  const auto expected = stored.extracted(given);
  const auto file = (stored.temp / "as.pcap").string();
  REQUIRE(run_process({"tshark", "-r", shark.out.string(), "-F", "nsecpcap", "-w", file}).ok());
  const auto actual = read_pcap(file);
  CHECK(expected.size() > 0);
  CHECK(compare_in_order(expected, actual) == "");
  for (std::size_t i = 0; i < expected.size(); ++i) REQUIRE(expected[i].time.ns == actual[i].time.ns);
}

TEST_CASE("tshark follows a running capture, over files that end, until it ends") {
  const Shark shark;
  if (!shark.runs()) return skip("tshark", why_no_shark());
  const auto trace = make_trace({.kind = "mixed", .packets = 9'000});
  const TraceRefs refs(trace);
  const auto io = storage::make_pwrite_queue({});
  SpoolRig rig({.block_bytes = 16 << 10, .rotate_size = 256 << 10, .tells_readers = true}, *io);
  open_to_readers(rig.directory(0));
  rig.feed(0, refs.span().first(3'000));
  rig.settle();
  Process reader(shark.command(shark.capture({rig.directory(0)}, {"-P"})));
  REQUIRE(reader.wait_for_output(" 1000 ", Seconds(60)));
  for (std::size_t at = 3'000; at < 9'000; at += 1'000) {
    rig.feed(0, refs.span().subspan(at, 1'000));
    rig.settle();
  }
  rig.finish();
  rig.end_keepers();
  const auto result = reader.wait(Seconds(60));
  INFO(result.err);
  CHECK(result.ok());
  const TempDir temp;
  const auto file = (temp / "as.pcap").string();
  REQUIRE(run_process({"tshark", "-r", shark.out.string(), "-F", "nsecpcap", "-w", file}).ok());
  CHECK(compare_in_order(trace, read_pcap(file)) == "");
}

TEST_CASE("tshark gets packets of a service elsewhere and of a directory here as one capture, in order of time") {
  const Shark shark;
  if (!shark.runs()) return skip("tshark", why_no_shark());
  const Stored stored;
  const auto why = run_process({program(), "serve", "--listen", "192.0.2.1:1", stored.directories[0].string()}).err;
  if (why.find("built without cpp-httplib") != std::string::npos)
    return skip("a service", "this wirespool was built without cpp-httplib");
  Serving serving({stored.directories[0].string()});
  const auto result = shark.run(shark.capture({serving.url(""), stored.directories[1]}, {"-f", "udp"}));
  INFO(result.describe() << serving.log());
  CHECK(result.ok());
  CHECK_THAT(result.err, !Contains("Error by extcap"));
  const auto file = (stored.temp / "as.pcap").string();
  REQUIRE(run_process({"tshark", "-r", shark.out.string(), "-F", "nsecpcap", "-w", file}).ok());
  CHECK(compare_in_order(stored.extracted({"--filter", "udp"}), read_pcap(file)) == "");
  CHECK(serving.line_with("GET /api/extract", "filter=udp") != "");
  CHECK(serving.stop().ok());
  const auto gone = shark.run(shark.capture({serving.url(""), stored.directories[1]}));
  CHECK_THAT(gone.err, Contains(serving.url("")));
}

TEST_CASE("what is wrong reaches whoever looks at tshark, in wirespool's words") {
  const Shark shark;
  if (!shark.runs()) return skip("tshark", why_no_shark());
  const TempDir temp;
  open_to_readers(temp.path());
  const auto wrong = [&shark](const Command& arguments) { return shark.run(arguments).err; };
  CHECK_THAT(wrong(shark.capture({temp / "none"})), Contains("none: No such file or directory"));
  CHECK_THAT(wrong({"-i", "wirespool", "-w", shark.out.string()}), Contains("--spool: is required"));
  const Stored stored;
  CHECK_THAT(wrong(shark.capture(stored.directories, {"-o", "extcap.wirespool.from:yesterday"})),
             Contains("wirespool: --from"));
  CHECK_THAT(wrong(shark.capture(stored.directories, {"-f", "no such words"})), Contains("wirespool: --filter"));
}

TEST_CASE("extcap answers each question of Wireshark's, and a filter that is wrong with why") {
  const auto list = extcap({"--extcap-interfaces", "--extcap-version=4.0"});
  CHECK(list.exit_code == 0);
  CHECK_THAT(list.out, Catch::StartsWith("extcap {version=") && Contains("\ninterface {value=wirespool}{display="));
  CHECK_THAT(extcap({"--extcap-interface", "wirespool", "--extcap-dlts"}).out, Catch::StartsWith("dlt {number=1}"));
  const auto config = extcap({"--extcap-interface", "wirespool", "--extcap-config"});
  for (const auto* call : {"--spool", "--from", "--to", "--follow", "--inner", "--token-file", "--ca", "--client-cert"})
    CHECK_THAT(config.out, Contains(std::string("{call=") + call + "}"));
  const auto judge = [](const std::string& filter) {
    return extcap({"--extcap-interface", "wirespool", "--extcap-capture-filter", filter});
  };
  CHECK(judge("port 53").out.empty());
  CHECK(judge("port 53").exit_code == 0);
  CHECK_THAT(judge("port").out, Contains("syntax error"));
  CHECK(judge("port").exit_code == 0);  // of a program that fails Wireshark reads nothing
}

TEST_CASE("extcap that cannot do what it was told says so in one line, and writes nothing") {
  const TempDir temp;
  const auto fifo = (temp / "out.pcapng").string(), none = (temp / "none").string();
  const auto arguments = GENERATE_COPY(values<Command>({
      {},
      {"--extcap-interface", "wirespool"},
      {"--extcap-interface", "wirespool-x", "--extcap-config"},
      {"--capture", "--extcap-interface", "wirespool", "--spool", "."},
      {"--capture", "--extcap-interface", "wirespool", "--fifo", fifo},
      {"--capture", "--extcap-interface", "wirespool", "--fifo", fifo, "--spool", none},
  }));
  const auto result = extcap(arguments);
  CAPTURE(arguments, result.err);
  CHECK(result.exit_code == 1);
  CHECK(result.out.empty());
  CHECK(result.err.find('\n') == result.err.size() - 1);
  CHECK_FALSE(fs::exists(fifo));
}

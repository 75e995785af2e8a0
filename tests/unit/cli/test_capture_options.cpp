// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <fstream>
#include <sstream>

#include "cli/capture_options.hpp"
#include "options/values.hpp"
#include "plan/words.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool::cli;
using namespace wirespool::options;
using namespace wirespool::plan;
using namespace wirespool::test;
using Catch::Contains;
using Numbers = std::vector<unsigned>;
using Words = std::vector<std::string>;

namespace {

CaptureRequest read(const Args& args) {
  const auto result = read_capture_args(args);
  if (const auto* stop = std::get_if<Stop>(&result)) FAIL(stop->err);
  return std::get<CaptureRequest>(result);
}

// The error line, without "wirespool: " and the newline.
std::string refused(const Args& args) {
  const auto result = read_capture_args(args);
  const auto* stop = std::get_if<Stop>(&result);
  REQUIRE(stop != nullptr);
  CHECK(stop->exit_code == 1);
  CHECK(stop->out.empty());
  REQUIRE(stop->err.starts_with("wirespool: "));
  REQUIRE(stop->err.find('\n') == stop->err.size() - 1);
  return stop->err.substr(11, stop->err.size() - 12);
}

// A configuration file, gone with the object.
class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text) { std::ofstream(path()) << text; }
  std::string path() const { return directory_ / "capture.toml"; }
  std::string line(unsigned number) const { return path() + ":" + std::to_string(number); }

 private:
  TempDir directory_;
};

}  // namespace

TEST_CASE("without arguments the configuration is the default one") {
  const auto request = read({});
  const CaptureConfig defaults;
  CHECK(request.eal_args.empty());
  CHECK(request.config.burst == defaults.burst);
  CHECK(request.config.rotate_size == defaults.rotate_size);
  CHECK(request.config.outputs.empty());
  CHECK_FALSE(request.config.when_full);
}

namespace {

// Every option but --config, a line each; its value is what follows the first blank.
constexpr std::string_view all_options = R"(
--output /a
--output /b,c
--until block
--port 0,net_null0
--port 3b:00.0
--rx-queues 4
--rx-desc 2048
--burst 32
--mbufs 8192
--mtu 9000
--rx-lcores 1,3-4
--writer-lcores 5
--promiscuous off
--on-port-failure stop
--port-return 5s
--hole 20us
--on-drive-failure stop
--rss device
--timestamp tsc
--snaplen 96
--slice l4
--idle adaptive
--filter tcp port 80
--name x
--rotate-size 1GiB
--rotate-age 5m
--block-size 4MiB
--blocks 99
--io pwrite
--io-depth 2
--flush-age 250ms
--sync-age 0s
--when-full wait
--handoff blocks
--handoff-size 512
--format pcapng
--index off
--checksum off
--cutoff 64KiB
--cutoff-then nothing
--flows /f
--flow-format json
--flow-active 2m
--flow-idle 3s
--flow-table 4096
--retain-free 10%
--retain-size 2TiB
--retain-age 168h
--archive /d
--archive /e
--ledger-size 2MiB
--user nobody
--duration 10s
--packets 5000000000
--bytes 1T
--idle-exit 3
--stop-timeout 4s
--stats json
--stats-interval 100ms
--metrics :9100
--serve :8080
--dry-run
--strict
--on-seal gzip -k
--on-seal-timeout 1m
--on-seal-linger 0s
)";

Args words_of_all_options() {
  Args words;
  std::istringstream lines{std::string(all_options)};
  for (std::string line; std::getline(lines, line);) {
    const auto blank = line.find(' ');
    if (!line.empty()) words.push_back(line.substr(0, blank));
    if (blank != std::string::npos) words.push_back(line.substr(blank + 1));
  }
  return words;
}

}  // namespace

TEST_CASE("every option reaches its field") {
  const auto words = words_of_all_options();
  for (const auto& option : capture_page().options) {
    CAPTURE(option.name);
    CHECK((option.name == "--config" || std::ranges::find(words, option.name) != words.end()));
  }
  const auto c = read(words).config;
  CHECK(c.outputs == Words{"/a", "/b,c"});
  CHECK(c.until == Until::block);
  CHECK(c.ports == Words{"0", "net_null0", "3b:00.0"});
  CHECK(c.rx_queues == 4);
  CHECK(c.rx_desc == 2048);
  CHECK(c.burst == 32);
  CHECK(c.mbufs == 8192);
  CHECK(c.mtu == 9000);
  CHECK(c.rx_lcores == Numbers{1, 3, 4});
  CHECK(c.writer_lcores == Numbers{5});
  CHECK_FALSE(c.promiscuous);
  CHECK(c.on_port_failure == OnFailure::stop);
  CHECK(c.on_drive_failure == OnFailure::stop);
  CHECK(c.port_return_ns == 5'000'000'000);
  CHECK(c.hole_ns == 20'000);
  CHECK(c.rss == Rss::device);
  CHECK(c.timestamp == TimestampSource::tsc);
  CHECK(c.snaplen == 96);
  CHECK(c.slice == "l4");
  CHECK(c.idle == Idle::adaptive);
  CHECK(c.filter == "tcp port 80");
  CHECK(c.name == "x");
  CHECK(c.rotate_size == 1ull << 30);
  CHECK(c.rotate_age_ns == 300'000'000'000);
  CHECK(c.block_size == 4 << 20);
  CHECK(c.blocks == 99);
  CHECK(c.io == Io::pwrite);
  CHECK(c.io_depth == 2);
  CHECK(c.flush_age_ns == 250'000'000);
  CHECK(c.sync_age_ns == 0);
  CHECK(c.when_full == WhenFull::wait);
  CHECK(c.handoff == HandoffKind::blocks);
  CHECK(c.handoff_size == 512);
  CHECK(c.format == FileFormat::pcapng);
  CHECK(c.index == IndexLevel::off);
  CHECK_FALSE(c.checksum);
  CHECK(c.cutoff == 64u << 10);
  CHECK(c.cutoff_then == CutoffThen::nothing);
  CHECK(c.flows == "/f");
  CHECK(c.flow_format == FlowFormat::json);
  CHECK(c.flow_active_ns == 120'000'000'000);
  CHECK(c.flow_idle_ns == 3'000'000'000);
  CHECK(c.flow_table == 4096);
  CHECK(c.retain_free == wirespool::policy::Share{.percent = 10});
  CHECK(c.retain_size == 2ull << 40);
  CHECK(c.retain_age_ns == 604'800'000'000'000);
  CHECK(c.archives == Words{"/d", "/e"});
  CHECK(c.ledger_size == 2u << 20);
  CHECK(c.user == "nobody");
  CHECK(c.duration_ns == 10'000'000'000);
  CHECK(c.packets == 5'000'000'000);
  CHECK(c.bytes == 1'000'000'000'000);
  CHECK(c.idle_exit_ns == 3'000'000'000);
  CHECK(c.stop_timeout_ns == 4'000'000'000);
  CHECK(c.stats == StatsOutput::json);
  CHECK(c.stats_interval_ns == 100'000'000);
  CHECK(c.metrics == "127.0.0.1:9100");
  CHECK(c.serve == "127.0.0.1:8080");
  CHECK(c.on_seal == "gzip -k");
  CHECK(c.on_seal_timeout_ns == 60'000'000'000);
  CHECK(c.on_seal_linger_ns == 0);
  CHECK(c.dry_run);
  CHECK(c.strict);
}

TEST_CASE("what stands in front of -- is EAL's, what stands behind is ours") {
  const auto request = read({"-l", "0-2", "--vdev=net_null0", "--", "--burst", "8"});
  CHECK(request.eal_args == EalArgs{"-l", "0-2", "--vdev=net_null0"});
  CHECK(request.config.burst == 8);
}

TEST_CASE("our option in front of the -- is told where it belongs") {
  CHECK(refused({"--output=/a", "-l", "0", "--", "--burst", "8"}) ==
        "--output: is the capture's own option, not EAL's: put it behind the --");
}

TEST_CASE("EAL's option without a -- is told about it") {
  CHECK_THAT(refused({"-l", "0-2", "--output", "/a"}),
             Contains("-l: unknown option: EAL's options come first, then --"));
  CHECK_THAT(refused({"--vdev=net_null0"}), Contains("EAL's options come first"));
}

TEST_CASE("an unknown option is named, with the one that was meant") {
  CHECK(refused({"--snaplenn", "5"}) == "--snaplenn: unknown option: did you mean --snaplen?");
  CHECK(refused({"--rxqueues=5"}) == "--rxqueues=5: unknown option: did you mean --rx-queues?");
  CHECK(refused({"--qwertyuiop"}) == "--qwertyuiop: unknown option: see wirespool capture --help");
}

TEST_CASE("choices that are not there yet are refused, not ignored") {
  CHECK(refused({"--when-full", "shrink"}) == "--when-full: \"shrink\" is not one of drop, wait, trim");
  CHECK(refused({"--index", "all"}) == "--index: \"all\" is not one of off, time, flow");
}

TEST_CASE("a wrong value is named with its option") {
  const auto [option, value, error] = GENERATE(table<std::string, std::string, std::string>(
      {{"--burst", "x", "\"x\" is not a whole number"},
       {"--burst", "-1", "\"-1\" is not a whole number"},
       {"--burst", "1.5", "\"1.5\" is not a whole number"},
       {"--burst", "0x10", "\"0x10\" is not a whole number"},
       {"--burst", "4294967296", "\"4294967296\" is too large"},
       {"--packets", "99999999999999999999", "\"99999999999999999999\" is too large"},
       {"--rotate-size", "4Q",
        "\"4Q\" is not a size: write bytes, or a number with K, M, G, T (powers of 1000) or KiB, MiB, "
        "GiB, TiB (powers of 1024), as in 1.5GiB"},
       {"--flush-age", "soon",
        "\"soon\" is not a time: write seconds, or a number with ns, us, ms, s, m (minutes) or h, as in "
        "250ms or 1.5h"},
       {"--until", "dsk", "\"dsk\" is not one of rx, handoff, block, disk"},
       {"--promiscuous", "maybe", "\"maybe\" is not one of on, off, true, false"},
       {"--rx-lcores", "1,x", "\"1,x\" is not a list: write numbers and ranges, as in 1,3-5"}}));
  CHECK(refused({option, value}) == option + ": " + error);
}

TEST_CASE("a value that is missing is not taken from the next option") {
  CHECK_THAT(refused({"--burst"}), Contains("--burst: needs a value"));
  CHECK_THAT(refused({"--output=", "--burst", "3"}), Contains("--output: needs a value"));
}

TEST_CASE("an option given twice is refused, but for those that repeat") {
  CHECK_THAT(refused({"--burst", "1", "--burst", "2"}), Contains("--burst: given more than once"));
}

TEST_CASE("words that belong to no option are refused") {
  CHECK(refused({"/data"}) == "/data: unexpected argument: see wirespool capture --help");
  CHECK(refused({"--output", "/a", "/b"}) == "/b: unexpected argument: see wirespool capture --help");
}

TEST_CASE("a newline in an argument does not make two error lines") {
  CHECK_THAT(refused({"--bad\noption"}), Contains("--bad\\x0aoption"));
}

TEST_CASE("--help ends with examples and shows the defaults in force") {
  const auto result = read_capture_args({"--help"});
  const auto& stop = std::get<Stop>(result);
  const CaptureConfig defaults;
  CHECK(stop.exit_code == 0);
  CHECK_THAT(stop.out, Contains("Examples:\n  wirespool capture -l 0-2"));
  CHECK_THAT(stop.out, Contains("[" + std::to_string(defaults.burst) + "]"));
  CHECK_THAT(stop.out, Contains("[" + std::to_string(defaults.snaplen) + "]"));
  CHECK_THAT(stop.out, Contains("[" + format_size(defaults.rotate_size) + "]"));
  CHECK_THAT(stop.out, Contains("[" + format_time(defaults.rotate_age_ns) + "]"));
  CHECK_THAT(stop.out, Contains("[" + std::to_string(dropping_handoff) + ";"));
}

TEST_CASE("no line of --help is longer than a wide terminal") {
  const auto result = read_capture_args({"--help"});
  const auto& text = std::get<Stop>(result).out;
  for (std::size_t start = 0, end = 0; (end = text.find('\n', start)) != std::string::npos; start = end + 1) {
    CAPTURE(text.substr(start, end - start));
    CHECK(end - start <= 132);
  }
}

TEST_CASE("a configuration file sets what the command line leaves out") {
  const ConfigFile file(
      "eal = [\"-l\", \"0-2\"]\n"
      "output = [\"/a\", \"/b#c\"]\n"
      "burst = 32\n"
      "rotate-size = \"1GiB\"\n"
      "flush-age = 0.5\n"
      "rx-lcores = [1, \"3-4\"]\n"
      "port = \"0,1\"\n"
      "promiscuous = false\n"
      "rss = 'off'\n"
      "strict = true\n");
  const auto request = read({"--config", file.path(), "--burst", "16"});
  CHECK(request.eal_args == EalArgs{"-l", "0-2"});
  CHECK(request.config.outputs == Words{"/a", "/b#c"});
  CHECK(request.config.burst == 16);
  CHECK(request.config.rotate_size == 1ull << 30);
  CHECK(request.config.flush_age_ns == 500'000'000);
  CHECK(request.config.rx_lcores == Numbers{1, 3, 4});
  CHECK(request.config.ports == Words{"0", "1"});
  CHECK_FALSE(request.config.promiscuous);
  CHECK(request.config.rss == Rss::off);
  CHECK(request.config.strict);
}

TEST_CASE("one value will do where an array would") {
  const ConfigFile file("output = \"/a\"\n");
  CHECK(read({"--config", file.path()}).config.outputs == Words{"/a"});
}

TEST_CASE("outputs of the command line replace those of the file") {
  const ConfigFile file("output = [\"/a\", \"/b\"]\n");
  CHECK(read({"--config", file.path(), "--output", "/c"}).config.outputs == Words{"/c"});
}

TEST_CASE("EAL's options of the command line replace those of the file") {
  const ConfigFile file("eal = [\"-l\", \"0-2\"]\n");
  CHECK(read({"-l", "0", "--", "--config", file.path()}).eal_args == EalArgs{"-l", "0"});
  CHECK(read({"--", "--config", file.path()}).eal_args == EalArgs{"-l", "0-2"});
}

TEST_CASE("what is wrong in a configuration file is told with its line") {
  const auto [text, error] = GENERATE(table<std::string, std::string>(
      {{"snaplenn = 5", ": unknown key \"snaplenn\": did you mean snaplen?"},
       {"colour = \"on\"", ": unknown key \"colour\": keys are the long names of options"},
       {"help = true", ": unknown key \"help\": keys are the long names of options"},
       {"config = \"x\"", ": unknown key \"config\": keys are the long names of options"},
       {"burst = \"big\"", ": burst: \"big\" is not a whole number"},
       {"burst = true", ": burst: \"true\" is not a whole number"},
       {"burst = [1, 2]", ": burst takes one value, not an array"},
       {"strict = \"yes\"", ": strict is true or false"},
       {"strict = 1", ": strict is true or false"},
       {"until = \"dsk\"", ": until: \"dsk\" is not one of rx, handoff, block, disk"},
       {"eal = \"-l 0\"", ": eal is an array of words: write eal = [\"-l\", \"0-2\"]"},
       {"[capture]", ": there are no tables here: each line is an option"}}));
  const ConfigFile file("# a comment\n" + text + "\n");
  CHECK(refused({"--config", file.path()}) == file.line(2) + error);
}

TEST_CASE("an empty array is as if it were not there") {
  const ConfigFile file("output = []\neal = []\n");
  CHECK(read({"--config", file.path()}).config.outputs.empty());
}

TEST_CASE("a configuration file that cannot be read is named") {
  const TempDir directory;
  CHECK_THAT(refused({"--config", directory / "none.toml"}), Contains("none.toml cannot be read"));
  CHECK_THAT(refused({"--config", directory.str()}), Contains("cannot be read"));
}

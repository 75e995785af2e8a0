// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <random>

#include "plan/eal_args.hpp"
#include "support/catch.hpp"
#include "unit/plan/machines.hpp"

using namespace wirespool::plan;
using namespace wirespool::test;
using Cpus = std::vector<unsigned>;
using Map = std::vector<LcoreCpus>;

namespace {

constexpr unsigned two_cpus[] = {0, 1};

std::optional<std::string> get(const EalArgs& args, std::string_view name) {
  return eal_option(args, std::span(&name, 1));
}

bool has(const EalArgs& args, const std::string& arg) { return std::ranges::find(args, arg) != args.end(); }

}  // namespace

TEST_CASE("an EAL option is found however it is written") {
  CHECK(get({"-l", "0-2"}, "-l") == "0-2");
  CHECK(get({"-l0-2"}, "-l") == "0-2");
  CHECK(get({"--lcores=0@0"}, "--lcores") == "0@0");
  CHECK(get({"--lcores", "0@0"}, "--lcores") == "0@0");
  CHECK(get({"--no-huge"}, "--no-huge") == "");
  CHECK(get({"--no-huge", "-m", "64"}, "--no-huge") == "");
  CHECK(get({"-l", "0", "-l", "1"}, "-l") == "1");
}

TEST_CASE("an EAL option that is not there is not found in others") {
  CHECK_FALSE(get({}, "-l"));
  CHECK_FALSE(get({"--lcores=0", "--log-level=x"}, "-l"));
  CHECK_FALSE(get({"--no-hugepages"}, "--no-huge"));
  CHECK_FALSE(get({"--lcores"}, "-l"));
}

TEST_CASE("--lcores as DPDK's guide explains it") {
  // The example of "EAL parameters": lcore 1 on CPU 1, 2 on 5-7, 3-5 on 0 and 2, 0 and 6 share 0 and 6, 7 and 8 on
  // their own.
  const Map expected = {{0, {0, 6}}, {1, {1}},    {2, {5, 6, 7}}, {3, {0, 2}}, {4, {0, 2}},
                        {5, {0, 2}}, {6, {0, 6}}, {7, {7}},       {8, {8}}};
  CHECK(parse_lcore_map("1,2@(5-7),(3-5)@(0,2),(0,6),7-8") == expected);
}

TEST_CASE("-l and -c name lcores on the CPUs of their numbers") {
  CHECK(parse_lcore_map("0,2-3") == Map{{0, {0}}, {2, {2}}, {3, {3}}});
  CHECK(parse_core_mask("0xd") == Map{{0, {0}}, {2, {2}}, {3, {3}}});
  CHECK(parse_core_mask("100") == Map{{8, {8}}});
}

TEST_CASE("several lcores may share a CPU") {
  CHECK(parse_lcore_map("0@0, 1@0, 2@1") == Map{{0, {0}}, {1, {0}}, {2, {1}}});
}

TEST_CASE("maps that are none are refused") {
  const auto text = GENERATE(as<std::string>{}, "", ",", "a", "0@", "@0", "(0", "0)", "()", "0@(1", "0@0@0", "0-",
                             "5000", "(0,1)@(2", "1@2,3@");
  CAPTURE(text);
  CHECK_FALSE(parse_lcore_map(text));
}

TEST_CASE("masks that are none are refused") {
  const auto text = GENERATE(as<std::string>{}, "", "0", "0x", "0x0", "xyz", "-1", "0x1g");
  CAPTURE(text);
  CHECK_FALSE(parse_core_mask(text));
}

TEST_CASE("random maps never upset the parser") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  const std::string letters = "0123456789,-@()x ";
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto length = random() % 20; length > 0; --length) text += letters[random() % letters.size()];
    CAPTURE(text);
    if (const auto map = parse_lcore_map(text)) REQUIRE_FALSE(map->empty());
    if (const auto mask = parse_core_mask(text)) REQUIRE_FALSE(mask->empty());
  }
}

TEST_CASE("lcores on CPUs this process may use are in order") {
  CHECK(check_eal_args({}, two_cpus).empty());
  CHECK(check_eal_args({"-l", "0-1"}, two_cpus).empty());
  CHECK(check_eal_args({"--lcores=0@0,1@0,2@1"}, two_cpus).empty());
  CHECK(check_eal_args({"-c3", "--main-lcore=1"}, two_cpus).empty());
}

TEST_CASE("an lcore on a CPU this process may not use is named before EAL aborts over it") {
  constexpr unsigned one_cpu[] = {0};
  const auto problems = check_eal_args({"-l", "0,1"}, one_cpu);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].what == "lcores");
  CHECK(problems[0].why == "lcore 1 needs CPU 1, but this process may only run on 0");
  CHECK(problems[0].kind == wirespool::Error::Kind::not_ready);
}

TEST_CASE("a group with one CPU too many is named by that CPU") {
  CHECK(problems_of(check_eal_args({"--lcores", "0,1@(1-3)"}, two_cpus)) ==
        "lcores: lcore 1 needs CPU 2,3, but this process may only run on 0,1\n");
}

TEST_CASE("--lcores wins over -l, as in EAL") { CHECK(check_eal_args({"-l", "7", "--lcores", "0"}, two_cpus).empty()); }

TEST_CASE("lists EAL would answer with pages of help are refused in a line") {
  CHECK(problems_of(check_eal_args({"-l", "0-x"}, two_cpus)) == "EAL's -l: \"0-x\" is not a list of lcores\n");
  CHECK(problems_of(check_eal_args({"-c", "q"}, two_cpus)) == "EAL's -c: \"q\" is not a mask of lcores\n");
}

TEST_CASE("a main lcore that is none of the lcores is refused") {
  CHECK(problems_of(check_eal_args({"-l", "0,1", "--main-lcore", "2"}, two_cpus)) ==
        "EAL's --main-lcore: lcore 2 is not among the lcores\n");
}

TEST_CASE("a secondary process cannot capture") {
  CHECK(check_eal_args({"--proc-type=secondary"}, two_cpus).size() == 1);
}

TEST_CASE("lcores that EAL renumbers are left to EAL") { CHECK(check_eal_args({"-l", "9", "-R"}, two_cpus).empty()); }

TEST_CASE("by default memory leaves no files, and EAL says only what is wrong") {
  const auto args = complete_eal_args({"-l", "0-2"});
  CHECK(args == EalArgs{"-l", "0-2", "--in-memory", "--single-file-segments", "--log-level=lib.telemetry:error",
                        "--log-level=*:warning", "--log-level=lib.eal:error", "--log-level=lib.telemetry:error"});
}

TEST_CASE("what the user chose is kept") {
  const EalArgs chosen = {"--in-memory", "--single-file-segments", "--telemetry", "--log-level=8"};
  CHECK(complete_eal_args(chosen) == chosen);
}

TEST_CASE("options that --in-memory does not go with are not given it") {
  const auto option = GENERATE(as<std::string>{}, "--legacy-mem", "--huge-unlink", "--huge-unlink=never", "--no-huge",
                               "--match-allocations");
  const auto args = complete_eal_args({option});
  CAPTURE(option);
  CHECK_FALSE(has(args, "--in-memory"));
  CHECK_FALSE(has(args, "--single-file-segments"));
  CHECK(has(args, "--no-shconf"));
}

TEST_CASE("without hugepages there is enough ordinary memory, unless the user said how much") {
  CHECK(get(complete_eal_args({"--no-huge"}), "-m") == "1024");
  CHECK(get(complete_eal_args({"--no-huge", "-m", "100"}), "-m") == "100");
}

TEST_CASE("legacy memory is unlinked") { CHECK(has(complete_eal_args({"--legacy-mem"}), "--huge-unlink")); }

TEST_CASE("a primary process that others attach to keeps its files") {
  const auto args = complete_eal_args({"--proc-type=primary"});
  CHECK_FALSE(has(args, "--in-memory"));
  CHECK_FALSE(has(args, "--no-shconf"));
}

TEST_CASE("EAL's options are known by their names, long, short and shortened") {
  const auto args = GENERATE(values<EalArgs>({{"-l", "0-1", "-a", "3b:00.0", "-n4", "--vdev", "net_null0"},
                                              {"--lcores=0@0", "--no-huge", "--huge-unlink", "--huge-unlink=never"},
                                              {"--no-pci", "--in-mem", "--vdev=net_pcap0,rx_pcap=a.pcap"},
                                              {"-v"},
                                              {"--vdev", "--odd-but-a-value"}}));
  CHECK(problems_of(check_eal_words(args)).empty());
}

TEST_CASE("what EAL does not know is told before EAL prints its help") {
  const auto [args, problem] =
      GENERATE(table<EalArgs, std::string>({{{"--foo"}, "EAL's --foo: no such option\n"},
                                            {{"--foo=1"}, "EAL's --foo: no such option\n"},
                                            {{"--no"}, "EAL's --no: no such option\n"},
                                            {{"-x", "1"},
                                             "EAL's -x: no such option\nEAL's \"1\": "
                                             "belongs to no option\n"},
                                            {{"-l"}, "EAL's -l: needs a value\n"},
                                            {{"--vdev"}, "EAL's --vdev: needs a value\n"},
                                            {{"--no-pci=1"}, "EAL's --no-pci: takes no value\n"},
                                            {{"rx", "-l", "0"}, "EAL's \"rx\": belongs to no option\n"},
                                            {{"-"}, "EAL's \"-\": belongs to no option\n"}}));
  CHECK(problems_of(check_eal_words(args)) == problem);
}

TEST_CASE("the arguments of a device are split at commas, and a key may come again") {
  const auto device = parse_device_args("net_pcap0,rx_pcap=a=b.pcap,rx_pcap=c.pcap,infinite_rx=1,bare");
  CHECK(device.name == "net_pcap0");
  CHECK(device.all("rx_pcap") == std::vector<std::string>{"a=b.pcap", "c.pcap"});
  CHECK(device.all("bare") == std::vector<std::string>{""});
  CHECK(device.all("iface").empty());
}

TEST_CASE("devices that EAL would start otherwise than asked are refused") {
  CHECK(check_vdevs({"--vdev=net_pcap0,rx_pcap=a", "--vdev", "net_pcap1,rx_pcap=a", "-a", "3b:00.0"}).empty());
  CHECK(check_vdevs({"--vdev", "net_null0", "--vdev=net_null0,size=64"}).size() == 1);
  CHECK(check_vdevs({"--vdev=net_tap0,iface=tap0,mac=fixed"}).empty());
  const auto problems = check_vdevs({"--vdev=net_tap0,iface=tap0,mca=fixed"});
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].why.find("mca") != std::string::npos);
}

TEST_CASE("slots that do not fill net_af_packet's blocks, after which it would be deaf, are refused") {
  CHECK(check_vdevs({"--vdev=net_af_packet0,iface=eth1"}).empty());
  CHECK(check_vdevs({"--vdev=net_af_packet0,iface=eth1,framesz=65408,blocksz=2093056,framecnt=512"}).empty());
  const auto problems = check_vdevs({"--vdev=net_af_packet0,iface=eth1,framesz=9088,blocksz=65536"});
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].what_to_do == "give blocksz=290816");
}

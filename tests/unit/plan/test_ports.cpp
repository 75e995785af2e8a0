// SPDX-License-Identifier: BSD-3-Clause
#include "plan/drivers.hpp"
#include "plan/limits.hpp"
#include "plan/rss.hpp"
#include "support/catch.hpp"
#include "unit/plan/machines.hpp"

using namespace wirespool::plan;
using namespace wirespool::test;

namespace {

// The plan for one port and one drive.
CapturePlan plan_with(const MachinePort& port, const CaptureConfig& changes = {}) {
  auto machine = a_machine(3, 0, 1);
  machine.ports = {port};
  auto config = changes;
  config.outputs = {machine.drives[0].path};
  return must_plan(config, machine);
}

}  // namespace

TEST_CASE("no port at all: the machine is not ready") {
  const auto machine = a_machine(3, 0, 1);
  const auto plan = make_plan(a_config(machine), machine);
  REQUIRE_FALSE(plan);
  CHECK(plan.error()[0].what == "port");
  CHECK(plan.error()[0].kind == wirespool::Error::Kind::not_ready);
}

TEST_CASE("a port is asked for by id, by name, or by PCI address with or without its domain") {
  const auto machine = a_machine(3, 3, 1);
  auto config = a_config(machine);
  config.ports = {GENERATE(as<std::string>{}, "1", "0000:3b:01.0", "3b:01.0", "3B:01.0")};
  const auto plan = must_plan(config, machine);
  REQUIRE(plan.ports.size() == 1);
  CHECK(plan.ports[0].id == 1);
}

TEST_CASE("a virtual port is asked for by its name") {
  auto machine = a_machine(3, 2, 1);
  machine.ports[1].name = "net_pcap0";
  auto config = a_config(machine);
  config.ports = {"net_pcap0"};
  CHECK(must_plan(config, machine).ports[0].id == 1);
}

TEST_CASE("without --port all ports are captured") {
  const auto machine = a_machine(3, 3, 1);
  CHECK(must_plan(a_config(machine), machine).ports.size() == 3);
}

TEST_CASE("a port that is not there is named beside those that are") {
  const auto machine = a_machine(3, 1, 1);
  auto config = a_config(machine);
  config.ports = {"7"};
  const auto plan = make_plan(config, machine);
  REQUIRE_FALSE(plan);
  CHECK(plan.error()[0].why == "DPDK found no port 7");
  CHECK(plan.error()[0].what_to_do == "use one of: 0 (0000:3b:00.0)");
  CHECK(plan.error()[0].kind == wirespool::Error::Kind::not_ready);
}

TEST_CASE("one port by two names is refused") {
  const auto machine = a_machine(3, 2, 1);
  auto config = a_config(machine);
  config.ports = {"0", "3b:00.0"};
  CHECK_THAT(problems_of(config, machine), Catch::Contains("3b:00.0 is port 0 (0000:3b:00.0), given before"));
}

TEST_CASE("more queues than the device has are clamped with a notice") {
  CaptureConfig config;
  config.rx_queues = 16;
  const auto plan = plan_with(a_port(0, 4), config);
  CHECK(plan.ports[0].rx_queues == 4);
  CHECK_THAT(notices_of(plan), Catch::Contains("has 4 RX queue(s), not 16"));
}

TEST_CASE("a device without TX queues gets none") {
  auto port = a_port(0);
  CHECK(plan_with(port).ports[0].tx_queues == 1);
  port.max_tx_queues = 0;
  CHECK(plan_with(port).ports[0].tx_queues == 0);
}

TEST_CASE("descriptors: what was asked, else the device's own choice, but 2048 at least") {
  auto port = a_port(0);
  CHECK(plan_with(port).ports[0].rx_desc == 2048);
  port.default_rx_desc = 256;  // net_i40e
  CHECK(plan_with(port).ports[0].rx_desc == 2048);
  port.default_rx_desc = 4096;
  CHECK(plan_with(port).ports[0].rx_desc == 4096);
  port.max_rx_desc = 512;
  CHECK(plan_with(port).ports[0].rx_desc == 512);
  CaptureConfig config;
  config.rx_desc = 256;
  CHECK(plan_with(port, config).ports[0].rx_desc == 256);
  port.file_fed = true;  // nobody waits for a ring
  port.default_rx_desc = 0;
  port.max_rx_desc = 4096;
  CHECK(plan_with(port).ports[0].rx_desc == 1024);
}

TEST_CASE("a ring that takes the fast receive functions away is told of") {
  CaptureConfig config;
  config.rx_desc = 3008;
  CHECK_THAT(notices_of(plan_with(a_port(0), config)), Catch::Contains("--rx-desc 2048"));
  config.rx_desc = 4096;
  CHECK(notices_of(plan_with(a_port(0), config)).empty());
}

TEST_CASE("descriptors are fitted to the device's range and step") {
  const auto [asked, fitted] = GENERATE(table<unsigned, unsigned>({{1, 64}, {100, 128}, {4095, 4096}, {9000, 4096}}));
  CaptureConfig config;
  config.rx_desc = asked;
  const auto plan = plan_with(a_port(0), config);
  CHECK(plan.ports[0].rx_desc == fitted);
  CHECK_THAT(notices_of(plan), Catch::Contains("takes 64 to 4096 descriptors in steps of 32"));
}

TEST_CASE("a device whose most descriptors is no multiple of its step keeps to both") {
  auto port = a_port(0);
  port.max_rx_desc = 1000;
  CaptureConfig config;
  config.rx_desc = 1000;
  CHECK(plan_with(port, config).ports[0].rx_desc == 992);
}

TEST_CASE("usual frames fit usual buffers") {
  const auto plan = plan_with(a_port(0));
  CHECK(plan.ports[0].data_room == 2176);
  CHECK_FALSE(plan.ports[0].scatter);
  CHECK(plan.ports[0].mtu == 1500);
}

TEST_CASE("jumbo frames are chained where the device can") {
  auto port = a_port(0);
  port.offers_scatter = true;
  CaptureConfig config;
  config.mtu = 9000;
  const auto plan = plan_with(port, config);
  CHECK(plan.ports[0].mtu == 9000);
  CHECK(plan.ports[0].data_room == 2176);
  CHECK(plan.ports[0].scatter);
}

TEST_CASE("jumbo frames get jumbo buffers where the device cannot chain") {
  auto port = a_port(0);
  port.mtu = 9000;
  const auto plan = plan_with(port);
  CHECK(plan.ports[0].mtu == 9000);  // DPDK takes 0 for 1500
  CHECK(plan.ports[0].data_room >= 128 + 9000 + 26);
  CHECK(plan.ports[0].data_room % 64 == 0);
  CHECK_FALSE(plan.ports[0].scatter);
}

TEST_CASE("a buffer is never larger than DPDK takes") {
  auto port = a_port(0);
  port.max_mtu = 65535;
  CaptureConfig config;
  config.mtu = 65535;
  const auto plan = plan_with(port, config);
  CHECK(plan.ports[0].data_room == 65535);
  CHECK_THAT(notices_of(plan), Catch::Contains("frames over 65407 bytes do not fit"));
}

TEST_CASE("the driver's smallest buffer is kept to") {
  auto port = a_port(0);
  port.min_rx_buffer = 4096;
  CHECK(plan_with(port).ports[0].data_room == 128 + 4096);
}

TEST_CASE("an MTU the device does not take is clamped with a notice") {
  CaptureConfig config;
  config.mtu = 16000;
  const auto plan = plan_with(a_port(0), config);
  CHECK(plan.ports[0].mtu == 9702);
  CHECK_THAT(notices_of(plan), Catch::Contains("9702 instead of 16000"));
}

TEST_CASE("the NIC's clock is used where there is one") {
  auto port = a_port(0);
  port.driver = "mlx5_pci";
  CHECK_FALSE(plan_with(port).ports[0].hw_timestamp);
  port.offers_timestamp = true;
  CHECK(plan_with(port).ports[0].hw_timestamp);
  CaptureConfig config;
  config.timestamp = TimestampSource::tsc;
  CHECK_FALSE(plan_with(port, config).ports[0].hw_timestamp);
}

namespace {

std::vector<unsigned> streams_of(const PlannedRxLcore& rx) {
  std::vector<unsigned> streams;
  for (const auto& queue : rx.queues) streams.push_back(queue.stream);
  return streams;
}

}  // namespace

TEST_CASE("each queue whose NIC stamps is a Stream of its own, all others of an RX lcore are one") {
  using Streams = std::vector<unsigned>;
  auto machine = a_machine(6, 2, 1);
  auto& nic = machine.ports[0];
  nic.driver = "mlx5_pci";
  nic.offers_timestamp = true;
  auto config = a_config(machine);
  config.rx_queues = 2;
  config.rx_lcores = {1};
  const auto mixed = must_plan(config, machine);  // port 0 and 1 in turn, of which one stamps
  CHECK(streams_of(mixed.rx_lcores[0]) == Streams{0, 1, 2, 1});
  CHECK(mixed.streams == std::vector<PlannedStream>(3));
  CHECK_THAT(notices_of(mixed), !Catch::Contains("stamp"));
  CHECK_THAT(describe(mixed), Catch::Contains("3 Streams"));
  config.timestamp = TimestampSource::tsc;
  const auto polled = must_plan(config, machine);
  CHECK(streams_of(polled.rx_lcores[0]) == Streams{0, 0, 0, 0});
  CHECK(polled.streams.size() == 1);
  CHECK_THAT(describe(polled), !Catch::Contains("Streams"));
  config.timestamp = TimestampSource::automatic;
  config.rx_lcores = {1, 2};
  const auto two = must_plan(config, machine);
  REQUIRE(two.streams.size() == 3);  // two queues that stamp, and one lcore's that do not
  for (unsigned rx = 0; rx < 2; ++rx)
    for (const auto& queue : two.rx_lcores[rx].queues) CHECK(two.streams[queue.stream].rx == rx);
}

TEST_CASE("more Streams take more files and Blocks, and about the same Handoffs") {
  auto machine = a_machine(4, 1, 1);
  machine.ports[0].driver = "mlx5_pci";
  machine.ports[0].offers_timestamp = true;
  auto config = a_config(machine);
  config.rx_queues = 4;
  config.rx_lcores = {1};
  const auto many = must_plan(config, machine);
  config.timestamp = TimestampSource::tsc;
  const auto one = must_plan(config, machine);
  REQUIRE(many.streams.size() == 4);
  CHECK(many.handoff_size * 4 == one.handoff_size);
  CHECK(many.ports[0].mbufs == one.ports[0].mbufs);
  CHECK(many.index_bytes * 2 == one.index_bytes * 5);  // lanes: 4 and 1, and one for re-homed packets
  CHECK(descriptors_needed(many) == descriptors_needed(one) + 3 * 3);
  config.handoff_size = 1024;
  config.timestamp = TimestampSource::automatic;
  CHECK(must_plan(config, machine).handoff_size == 1024);
}

TEST_CASE("a clock that is known to be another is not used, and hw says why") {
  auto machine = a_machine(3, 1, 1);
  machine.ports[0].driver = GENERATE("net_iavf", "net_ice", "net_bnxt");
  machine.ports[0].offers_timestamp = true;
  auto config = a_config(machine);
  CHECK_FALSE(must_plan(config, machine).ports[0].hw_timestamp);
  config.timestamp = TimestampSource::hw;
  CHECK_THAT(problems_of(config, machine), Catch::Contains("--timestamp") && Catch::Contains("stamps packets, but"));
}

TEST_CASE("--timestamp hw on a NIC without a clock is not replaced by the TSC") {
  const auto machine = a_machine(3, 1, 1);
  auto config = a_config(machine);
  config.timestamp = TimestampSource::hw;
  const auto plan = make_plan(config, machine);
  REQUIRE_FALSE(plan);
  CHECK(plan.error()[0].what == "--timestamp");
  CHECK(plan.error()[0].kind == wirespool::Error::Kind::not_ready);
}

TEST_CASE("RSS is for several queues, and masked by what the device offers") {
  auto port = a_port(0, 4);
  port.rss_functions = rss_tcp | 1ull << 40;
  CHECK(plan_with(port).ports[0].rss_functions == 0);
  CaptureConfig config;
  config.rx_queues = 2;
  auto planned = plan_with(port, config).ports[0];
  CHECK(planned.rss_functions == rss_tcp);
  CHECK(planned.symmetric_key);
  config.rss = Rss::device;
  planned = plan_with(port, config).ports[0];
  CHECK(planned.rss_functions == rss_tcp);
  CHECK_FALSE(planned.symmetric_key);
  config.rss = Rss::off;
  CHECK(plan_with(port, config).ports[0].rss_functions == 0);
}

TEST_CASE("a device without RSS is told of, not refused") {
  auto port = a_port(0, 4);
  port.rss_functions = 0;
  CaptureConfig config;
  config.rx_queues = 2;
  const auto plan = plan_with(port, config);
  CHECK(plan.ports[0].rss_functions == 0);
  CHECK_FALSE(plan.ports[0].symmetric_key);
  CHECK_THAT(notices_of(plan), Catch::Contains("offers no RSS over IP"));
}

TEST_CASE("a VF that may see its own traffic only is told of, with what to do") {
  auto port = a_port(0, 1);
  port.driver = "net_e1000_igb_vf";
  CHECK_THAT(notices_of(plan_with(port)), Catch::Contains("sees its own traffic only"));
  port.driver = GENERATE("net_iavf", "net_ixgbe_vf", "net_i40e_vf", "net_hns3_vf", "net_txgbe_vf");
  CHECK_THAT(notices_of(plan_with(port)), Catch::Contains("wirespool vf trust"));
  CaptureConfig config;
  config.promiscuous = false;
  CHECK(notices_of(plan_with(port, config)).find("is a VF") == std::string::npos);
  port.driver = "net_i40e";
  CHECK(notices_of(plan_with(port)).find("is a VF") == std::string::npos);
}

TEST_CASE("a VF is known by its PF, whatever its driver") {
  auto port = a_port(0);
  port.driver = "mlx5_pci";
  CHECK(notices_of(plan_with(port)).find("is a VF") == std::string::npos);
  port.is_vf = true;
  CHECK_THAT(notices_of(plan_with(port)), Catch::Contains("wirespool vf trust"));
}

TEST_CASE("waiting is for ports that are all fed from files, unless asked") {
  auto machine = a_machine(3, 2, 1);
  auto config = a_config(machine);
  CHECK(must_plan(config, machine).when_full == WhenFull::drop);
  machine.ports[0].file_fed = true;
  CHECK(must_plan(config, machine).when_full == WhenFull::drop);
  machine.ports[1].file_fed = true;
  CHECK(must_plan(config, machine).when_full == WhenFull::wait);
  config.when_full = WhenFull::drop;
  CHECK(must_plan(config, machine).when_full == WhenFull::drop);
}

namespace {

MachinePort cutting_port(unsigned cut_at, const KernelInterface& interface) {
  auto port = a_machine(3, 1, 1).ports[0];
  port.name = "net_af_packet0";
  port.driver = "net_af_packet";
  port.cut_at = cut_at;
  port.interfaces = {interface};
  return port;
}

}  // namespace

TEST_CASE("features that join frames are named where the driver cuts long ones") {
  const auto plan = plan_with(cutting_port(1982, {"eth1", 1500, {"gro", "tso"}, false}));
  CHECK_THAT(notices_of(plan), Catch::Contains("ethtool -K eth1 gro off tso off") && Catch::Contains("framesz=65408") &&
                                   !Catch::Contains("veth") && !Catch::Contains("MTU of"));
  CHECK(plan.ports[0].cut_at == 1982);
}

TEST_CASE("the other end of a veth pair joins frames too") {
  const auto plan = plan_with(cutting_port(1982, {"veth0", 1500, {"tso"}, true}));
  CHECK_THAT(notices_of(plan), Catch::Contains("other end"));
}

TEST_CASE("nothing is said where no frame is longer than what the driver passes on") {
  CHECK(plan_with(cutting_port(1982, {"eth1", 1500, {}, false})).notices.empty());
  CHECK(plan_with(cutting_port(65342, {"eth1", 1500, {"gro"}, false})).notices.empty());
  CHECK(plan_with(cutting_port(0, {"eth1", 9000, {"gro"}, false})).notices.empty());
}

TEST_CASE("an MTU beyond what the driver passes on is told with slots that hold it") {
  CHECK_THAT(notices_of(plan_with(cutting_port(1982, {"eth1", 9000, {}, false}))),
             Catch::Contains("MTU of 9000") && Catch::Contains("framesz=16384,blocksz=65536,framecnt=1024"));
  CHECK_THAT(notices_of(plan_with(cutting_port(1982, {"lo", 65536, {}, false}))), Catch::Contains("framesz=65408"));
  CHECK_THAT(notices_of(plan_with(cutting_port(65342, {"lo", 65536, {}, false}))),
             Catch::Contains("ip link set lo mtu 65328"));
}

TEST_CASE("xstats of lost packets are found by their names, and others that sound like losses are kept in mind") {
  CHECK(is_drop(facts_of("mlx5_pci"), "rx_prio3_buf_discard_packets"));
  CHECK(is_drop(facts_of("mlx5_pci"), "rx_phy_discard_packets"));
  CHECK_FALSE(is_drop(facts_of("mlx5_pci"), "rx_prio3_buf_packets"));
  CHECK_FALSE(is_drop(facts_of("net_i40e"), "rx_phy_discard_packets"));
  CHECK(sounds_like_loss("rx_crc_errors"));
  CHECK_FALSE(sounds_like_loss("rx_good_packets"));
}

TEST_CASE("a driver nobody has read is believed") {
  const auto& facts = facts_of("net_of_tomorrow");
  CHECK(facts.no_nic_missed.empty());
  CHECK_FALSE(facts.counts_refills);
  CHECK(facts.clock_unusable.empty());
}

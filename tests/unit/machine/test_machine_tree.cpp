// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>

#include "machine/facts.hpp"
#include "machine/interface.hpp"
#include "machine/pci.hpp"
#include "support/catch.hpp"
#include "unit/machine/fake_machine.hpp"

using namespace wirespool;
using test::FakeMachine;

TEST_CASE("a CPU list is read and written as the kernel does") {
  CHECK(machine::parse_cpu_list("0-3,8,10-11") == std::vector<unsigned>{0, 1, 2, 3, 8, 10, 11});
  CHECK(machine::parse_cpu_list("").empty());
  CHECK(machine::format_cpu_list({0, 1, 2, 3, 8, 10, 11}) == "0-3,8,10-11");
}

TEST_CASE("a file that is not there is no value and no refusal") {
  FakeMachine machine;
  const auto tree = machine.tree();
  CHECK_FALSE(tree.line("sys/nothing"));
  CHECK(tree.names("sys/nothing").empty());
  CHECK(tree.refused().empty());
}

TEST_CASE("numbers are read in decimal and in hexadecimal, with a sign where one can be") {
  FakeMachine machine;
  machine.file("a", "42\n");
  machine.file("b", "0x8086\n");
  machine.file("c", "-1\n");
  machine.file("d", "max\n");
  const auto tree = machine.tree();
  CHECK(tree.number("a") == 42);
  CHECK(tree.number("b") == 0x8086);
  CHECK_FALSE(tree.number("c"));
  CHECK(tree.signed_number("c") == -1);
  CHECK_FALSE(tree.number("d"));
}

TEST_CASE("a VF knows its PF and a PF its VFs in order") {
  FakeMachine machine;
  machine.pci("0000:3b:00.0", "0x020000", "i40e",
              {{"sriov_totalvfs", "64"},
               {"numa_node", "1"},
               {"current_link_speed", "8.0 GT/s PCIe"},
               {"current_link_width", "8"}});
  machine.pci("0000:3b:02.0", "0x020000", "vfio-pci", {{"current_link_speed", "Unknown"}, {"current_link_width", "0"}});
  machine.pci("0000:3b:02.1", "0x020000", "iavf");
  machine.virtual_function("0000:3b:00.0", 0, "0000:3b:02.0");
  machine.virtual_function("0000:3b:00.0", 1, "0000:3b:02.1");
  machine.interface("0000:3b:00.0", "ens1f0");
  machine.iommu_group("0000:3b:02.0", "57");
  const auto devices = machine::list_pci_devices(machine.tree());
  REQUIRE(devices.size() == 3);
  const auto& parent = devices[0];
  CHECK(parent.virtual_functions == std::vector<std::string>{"0000:3b:02.0", "0000:3b:02.1"});
  CHECK(parent.vfs_possible == 64);
  CHECK(parent.numa_node == 1);
  CHECK(parent.interfaces == std::vector<std::string>{"ens1f0"});
  CHECK(std::abs(parent.link.gbit_per_s() - 63.015) < 0.01);
  CHECK(devices[1].physical_function == "0000:3b:00.0");
  CHECK(devices[1].iommu_group == 57u);
  CHECK_FALSE(devices[1].link.known());
  CHECK(devices[2].driver == "iavf");
}

TEST_CASE("an interface of a virtio device is found below it") {
  FakeMachine machine;
  machine.pci("0000:00:03.0", "0x020000", "virtio-pci");
  machine.directory("sys/bus/pci/devices/0000:00:03.0/virtio2/net/eth7");
  CHECK(machine::list_pci_devices(machine.tree()).at(0).interfaces == std::vector<std::string>{"eth7"});
}

TEST_CASE("an interface with a route is told from one without") {
  FakeMachine machine;
  machine.file("proc/net/route", "Iface\tDestination\tGateway\neth0\t00000000\t0100A8C0\n");
  machine.file("proc/net/ipv6_route",
               "fe800000000000000000000000000000 40 0 00 0 00000100 00000001 00000000 00000001     eth1\n"
               "00000000000000000000000000000000 00 0 00 0 00000400 00000001 00000000 00000003     eth2\n");
  CHECK(machine::has_routes(machine.tree(), "eth0"));
  CHECK_FALSE(machine::has_routes(machine.tree(), "eth1"));
  CHECK(machine::has_routes(machine.tree(), "eth2"));
}

TEST_CASE("what an interface is used for is told, and what every interface has is no use") {
  FakeMachine machine;
  machine.file("proc/net/route", "Iface\tDestination\neth0\t00000000\n");
  machine.file("proc/net/if_inet6",
               "fe800000000000000000000000000001 03 40 20 80     eth1\n"
               "20010db8000000000000000000000001 04 40 00 80     eth2\n");
  machine.link("sys/class/net/eth3/master", "../br0");
  machine.directory("sys/class/net/eth4/upper_macvlan0");
  const auto use = [&](const std::string& name) { return machine::in_use(machine.tree(), name); };
  CHECK(use("eth0") == "routes lead through eth0");
  CHECK(use("eth1").empty());
  CHECK(use("eth2") == "eth2 has an address");
  CHECK(use("eth3") == "eth3 belongs to br0");
  CHECK(use("eth4") == "macvlan0 is on top of eth4");
}

TEST_CASE("an interface that is in use is known to doctor as such") {
  FakeMachine machine;
  machine.pci("0000:3b:00.0", "0x020000", "i40e");
  machine.interface("0000:3b:00.0", "eth0", {{"operstate", "up"}});
  machine.file("proc/net/route", "Iface\tDestination\neth0\t00000000\n");
  const auto interfaces = machine::look_at_interfaces(machine.tree(), machine::list_pci_devices(machine.tree()));
  CHECK(interfaces.at(0).in_use == "routes lead through eth0");
}

TEST_CASE("this machine's own addresses are asked of the kernel") {
  CHECK_FALSE(machine::in_use(machine::MachineTree(), "lo").empty());
}

TEST_CASE("a guest's VF is known by its number where its driver's name does not tell") {
  machine::PciDevice device;
  device.vendor = 0x15b3;
  device.device = 0x101e;
  CHECK(machine::is_vf_by_number(device));
  device.device = 0x101d;
  CHECK_FALSE(machine::is_vf_by_number(device));
}

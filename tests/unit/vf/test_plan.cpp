// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "support/catch.hpp"
#include "unit/machine/fake_machine.hpp"
#include "vf/vf.hpp"

using namespace wirespool;
using namespace wirespool::machine;
using namespace wirespool::vf;
using test::FakeMachine;

namespace {

const std::string pf = "0000:3b:00.0";

// An i40e PF with two VFs, the first on vfio-pci, the second with the kernel.
struct TwoVfs : FakeMachine {
  TwoVfs() {
    this->pci(pf, "0x020000", "i40e", {{"sriov_totalvfs", "64"}, {"sriov_numvfs", "2"}});
    this->pci("0000:3b:02.0", "0x020000", "vfio-pci", {{"driver_override", "vfio-pci"}});
    this->pci("0000:3b:02.1", "0x020000", "iavf", {{"driver_override", "(null)"}});
    virtual_function(pf, 0, "0000:3b:02.0");
    virtual_function(pf, 1, "0000:3b:02.1");
    iommu_group("0000:3b:02.0", "57");
    iommu_group("0000:3b:02.1", "58");
    interface(pf, "ens1f0", {{"operstate", "up"}});
    interface("0000:3b:02.1", "ens1f0v1", {{"operstate", "down"}});
  }
};

VfLink link_of(unsigned number) {
  VfLink link;
  link.number = number;
  link.mac = "52:54:00:00:00:0" + std::to_string(number);
  link.trusted = false;
  link.spoof_check = true;
  return link;
}

std::vector<std::string> commands(const PlannedVf& plan) {
  std::vector<std::string> list;
  if (plan)
    std::ranges::transform(plan->steps, std::back_inserter(list),
                           [](const VfStep& step) { return describe(step.action); });
  return list;
}

std::vector<std::string> undos(const PlannedVf& plan) {
  std::vector<std::string> list;
  for (const auto& step : plan->steps) list.push_back(step.undo ? describe(*step.undo) : "");
  return list;
}

std::string message(const PlannedVf& plan) { return plan ? "" : plan.error().message; }

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a device is found by address, short address, interface and VF number") {
  const TwoVfs machine;
  const auto devices = list_pci_devices(machine.tree());
  CHECK(find_device(devices, pf)->address == pf);
  CHECK(find_device(devices, "3b:02.1")->address == "0000:3b:02.1");
  CHECK(find_device(devices, "ens1f0v1")->address == "0000:3b:02.1");
  CHECK(find_device(devices, "ens1f0:1")->address == "0000:3b:02.1");
  CHECK(find_device(devices, pf + ":0")->address == "0000:3b:02.0");
  CHECK(mentions(find_device(devices, "ens1f0:7").error().message, "it has 2 VFs"));
  CHECK(find_device(devices, "eth9").error().kind == VfProblem::Kind::wrong_use);
}

TEST_CASE("VFs are created from none, within what the PF can have") {
  FakeMachine machine;
  machine.pci(pf, "0x020000", "igb", {{"sriov_totalvfs", "7"}});
  machine.interface(pf, "ens1", {{"operstate", "down"}});
  const auto plan = plan_create(machine.tree(), {pf, 2, true});
  CHECK(commands(plan) == Lines{"echo 2 > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs"});
  CHECK(undos(plan) == Lines{"echo 0 > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs"});
  CHECK(mentions(plan->notices.at(0), "ip link set ens1 up"));
  CHECK(commands(plan_create(machine.tree(), {"ens1", 2, false})).size() == 2);
  CHECK(mentions(message(plan_create(machine.tree(), {pf, 8, true})), "1 to 7"));
  CHECK(mentions(message(plan_create(machine.tree(), {pf, 0, true})), "1 to 7"));
}

TEST_CASE("as many VFs as asked for need nothing, another number a reset first") {
  const TwoVfs machine;
  CHECK(plan_create(machine.tree(), {pf, 2, true})->steps.empty());
  CHECK(mentions(message(plan_create(machine.tree(), {pf, 4, true})), "wirespool vf reset"));
  CHECK(mentions(message(plan_create(machine.tree(), {"3b:02.0", 1, true})), "can have no VFs"));
}

TEST_CASE("binding tells the kernel which driver, and going back is the kernel's choice") {
  const TwoVfs machine;
  const auto plan = plan_bind(machine.tree(), {{"ens1f0:1"}, "vfio-pci", false});
  CHECK(commands(plan) == Lines{"echo vfio-pci > /sys/bus/pci/devices/0000:3b:02.1/driver_override\n"
                                "echo 0000:3b:02.1 > /sys/bus/pci/devices/0000:3b:02.1/driver/unbind\n"
                                "echo 0000:3b:02.1 > /sys/bus/pci/drivers_probe"});
  CHECK(plan->steps.at(0).undo->value.empty());
  CHECK(plan_bind(machine.tree(), {{"3b:02.0"}, "vfio-pci", false})->steps.empty());
  CHECK(plan_bind(machine.tree(), {{"3b:02.1"}, "", false})->steps.empty());
  CHECK(plan_bind(machine.tree(), {{"3b:02.0"}, "", false})->steps.at(0).undo->value == "vfio-pci");
}

TEST_CASE("a driver that is not there is loaded first") {
  const TwoVfs machine;
  CHECK(commands(plan_bind(machine.tree(), {{"3b:02.1"}, "uio_pci_generic", false})).at(0) ==
        "modprobe uio_pci_generic");
}

TEST_CASE("an interface that routes lead through is not taken away unless forced") {
  const TwoVfs machine;
  machine.file("proc/net/route", "Iface\tDestination\nens1f0v1\t00000000\n");
  CHECK(mentions(message(plan_bind(machine.tree(), {{"3b:02.1"}, "vfio-pci", false})), "--force"));
  CHECK(plan_bind(machine.tree(), {{"3b:02.1"}, "vfio-pci", true})->steps.size() == 1);
}

TEST_CASE("a device a program has open is not touched") {
  const TwoVfs machine;
  machine.link("proc/321/fd/7", "/dev/vfio/57");
  CHECK(mentions(message(plan_bind(machine.tree(), {{"3b:02.0"}, "", false})), "process 321 has it open"));
}

TEST_CASE("vfio-pci without an IOMMU group is refused with what to do, unless its unsafe mode is on") {
  FakeMachine machine;
  machine.pci(pf, "0x020000", "igb");
  machine.directory("sys/bus/pci/drivers/vfio-pci");
  CHECK(mentions(message(plan_bind(machine.tree(), {{pf}, "vfio-pci", false})), "intel_iommu=on"));
  machine.file("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
  CHECK(plan_bind(machine.tree(), {{pf}, "vfio-pci", false})->steps.size() == 1);
}

TEST_CASE("trust is set through the PF, with the flag that makes it mean something") {
  const TwoVfs machine;
  TrustRequest request;
  request.vf = "3b:02.1";
  request.trust = true;
  request.mac = "52:54:00:12:34:56";
  const auto plan = plan_trust(machine.tree(), request, {link_of(0), link_of(1)},
                               {{"LinkPolling", false}, {"vf-true-promisc-support", false}});
  CHECK(commands(plan) == Lines{"ip link set ens1f0 vf 1 mac 52:54:00:12:34:56", "ip link set ens1f0 vf 1 trust on",
                                "ethtool --set-priv-flags ens1f0 vf-true-promisc-support on"});
  CHECK(undos(plan) == Lines{"ip link set ens1f0 vf 1 mac 52:54:00:00:00:01", "ip link set ens1f0 vf 1 trust off",
                             "ethtool --set-priv-flags ens1f0 vf-true-promisc-support off"});
}

TEST_CASE("a setting that is so already is left alone") {
  const TwoVfs machine;
  auto link = link_of(1);
  link.trusted = true;
  CHECK(plan_trust(machine.tree(), {.vf = "3b:02.1", .trust = true, .spoof_check = true}, {link}, {})->steps.empty());
}

TEST_CASE("a setting the driver does not have is refused with what to do instead") {
  const TwoVfs machine;
  auto link = link_of(1);
  link.trusted = std::nullopt;
  const auto plan = plan_trust(machine.tree(), {.vf = "3b:02.1", .trust = true}, {link}, {});
  CHECK(mentions(message(plan), "no setting 'trust'"));
  CHECK(mentions(message(plan_trust(machine.tree(), {.vf = pf, .trust = true}, {link}, {})), "not a VF"));
}

TEST_CASE("a value that is none is refused before anything is looked at") {
  const TwoVfs machine;
  TrustRequest request;
  request.vf = "3b:02.1";
  request.mac = "52:54";
  CHECK(plan_trust(machine.tree(), request, {link_of(1)}, {}).error().kind == VfProblem::Kind::wrong_use);
}

TEST_CASE("a VF that will see only its own traffic is said to") {
  const std::vector<PrivateFlag> off = {{"vf-true-promisc-support", false}}, on = {{"vf-true-promisc-support", true}};
  auto trusted = link_of(0);
  trusted.trusted = true;
  CHECK(mentions(promiscuous_remark("i40e", "ens1f0", 0, link_of(0), on), "wirespool vf trust ens1f0:0 on"));
  CHECK(mentions(promiscuous_remark("i40e", "ens1f0", 0, trusted, off), "vf-true-promisc-support is off"));
  CHECK(promiscuous_remark("i40e", "ens1f0", 0, trusted, on).empty());
  CHECK(mentions(promiscuous_remark("igb", "ens1", 0, trusted, {}), "capture on the PF"));
  CHECK(mentions(promiscuous_remark("ixgbe", "ens1", 0, trusted, {}), "promisc on"));
}

TEST_CASE("Intel's own i40e driver mirrors by its files, each VF and the PF") {
  const TwoVfs machine;
  machine.file("sys/bus/pci/devices/" + pf + "/sriov/ingress_mirror", "off");
  const auto plan = plan_mirror(machine.tree(), {pf, {}, 1, true, true});
  CHECK(commands(plan) == Lines{"echo add 1 > /sys/bus/pci/devices/0000:3b:00.0/sriov/ingress_mirror",
                                "echo add 1 > /sys/bus/pci/devices/0000:3b:00.0/sriov/egress_mirror",
                                "echo add 1 > /sys/bus/pci/devices/0000:3b:00.0/sriov/0/ingress_mirror",
                                "echo add 1 > /sys/bus/pci/devices/0000:3b:00.0/sriov/0/egress_mirror"});
  CHECK(undos(plan).at(3) == "echo rem 1 > /sys/bus/pci/devices/0000:3b:00.0/sriov/0/egress_mirror");
  CHECK(mentions(plan->notices.at(0), "twice"));
  CHECK(commands(plan_mirror(machine.tree(), {pf, {0}, 1, true, false})).size() == 1);
}

TEST_CASE("its older versions mirror the whole switch by debugfs") {
  const TwoVfs machine;
  machine.file("sys/kernel/debug/i40e/" + pf + "/command", "");
  CHECK(mentions(message(plan_mirror(machine.tree(), {pf, {}, 1, true, false})), "offers no mirroring"));
  machine.file("sys/module/i40e/version", "2.4.6\n");
  const auto plan = plan_mirror(machine.tree(), {pf, {}, 1, true, false});
  CHECK(mentions(commands(plan).at(0), "echo 'add switch ingress mirror BRIDGE VF'"));
  CHECK(mentions(message(plan_mirror(machine.tree(), {pf, {0}, 1, true, false})), "leave --from out"));
}

TEST_CASE("a PF in switchdev mode mirrors by tc between representors") {
  const TwoVfs machine;
  machine.file("sys/class/net/ens1f0/phys_switch_id", "aabb");
  machine.file("sys/class/net/ens1f0/phys_port_name", "p0");
  for (const std::string number : {"0", "1"}) {
    machine.file("sys/class/net/rep" + number + "/phys_switch_id", "aabb");
    machine.file("sys/class/net/rep" + number + "/phys_port_name", "pf0vf" + number);
  }
  machine.file("sys/class/net/other/phys_switch_id", "ccdd");
  machine.file("sys/class/net/other/phys_port_name", "pf0vf0");
  const auto plan = plan_mirror(machine.tree(), {pf, {0}, 1, true, true});
  CHECK(commands(plan) ==
        Lines{"tc qdisc add dev rep0 clsact",
              "tc filter add dev rep0 ingress pref 49000 matchall action mirred egress mirror dev rep1"});
  CHECK(commands(plan_mirror(machine.tree(), {pf, {}, 1, true, true})).size() == 4);
}

TEST_CASE("a PF that cannot mirror gets advice, a VF that is not there an error") {
  FakeMachine machine;
  machine.pci(pf, "0x020000", "igb", {{"sriov_totalvfs", "7"}});
  machine.pci("0000:3b:10.0", "0x020000", "igbvf");
  machine.virtual_function(pf, 0, "0000:3b:10.0");
  CHECK(mentions(message(plan_mirror(machine.tree(), {pf, {}, 0, true, true})), "capture on the PF itself"));
  CHECK(mentions(message(plan_mirror(machine.tree(), {pf, {}, 3, true, true})), "1 VFs, counted from 0"));
  CHECK(plan_mirror(machine.tree(), {pf, {0}, 0, true, true}).error().kind == VfProblem::Kind::wrong_use);
}

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

std::string message(const PlannedVf& plan) { return plan ? "" : plan.error().message(); }

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
  CHECK(mentions(find_device(devices, "ens1f0:7").error().message(), "it has 2 VFs"));
  CHECK(find_device(devices, "eth9").error().kind == Error::Kind::wrong_use);
}

TEST_CASE("what, why and what to do of a refusal are apart, whatever signs the names in them have") {
  const TwoVfs machine;
  const auto error = find_device(list_pci_devices(machine.tree()), "ens1f0: x:7").error();
  CHECK(error.what == "ens1f0: x:7");
  CHECK(error.why == "no such device");
  CHECK(mentions(error.what_to_do, "INTERFACE:NUMBER"));
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

TEST_CASE("a program that has a device by iommufd is found as well") {
  const TwoVfs machine;
  machine.directory("sys/bus/pci/devices/0000:3b:02.0/vfio-dev/vfio3");
  machine.link("proc/77/fd/4", "/dev/vfio/devices/vfio4");
  CHECK(plan_bind(machine.tree(), {{"3b:02.0"}, "", false}));
  machine.link("proc/321/fd/7", "/dev/vfio/devices/vfio3");
  CHECK(mentions(message(plan_bind(machine.tree(), {{"3b:02.0"}, "", false})), "process 321 has it open"));
}

TEST_CASE("a device that DPDK shares with the kernel is not bound, unless forced") {
  struct Shared {
    const char *driver, *vendor, *device;
  };
  // A ConnectX-5, a VF of it in a guest that sees no PF, a ConnectX-3, a MANA.
  const auto shared = GENERATE(Shared{"mlx5_core", "0x15b3", "0x1017"}, Shared{"mlx5_core", "0x15b3", "0x1018"},
                               Shared{"mlx4_core", "0x15b3", "0x1007"}, Shared{"mana", "0x1414", "0x00ba"});
  CAPTURE(shared.driver, shared.device);
  FakeMachine machine;
  machine.pci(pf, "0x020000", shared.driver, {{"vendor", shared.vendor}, {"device", shared.device}});
  machine.iommu_group(pf, "5");
  machine.directory("sys/bus/pci/drivers/vfio-pci");
  const auto refused = plan_bind(machine.tree(), {{pf}, "vfio-pci", false});
  CHECK(mentions(message(refused), std::string("beside the kernel's ") + shared.driver));
  CHECK(mentions(message(refused), "wirespool capture -a " + pf));
  CHECK(plan_bind(machine.tree(), {{pf}, "vfio-pci", true})->steps.size() == 1);
}

TEST_CASE("one that vfio-pci has already is given back") {
  FakeMachine machine;
  machine.pci(pf, "0x020000", "uio_pci_generic", {{"vendor", "0x15b3"}, {"device", "0x101d"}});
  CHECK(mentions(message(plan_bind(machine.tree(), {{pf}, "vfio-pci", false})), "wirespool vf unbind " + pf));
}

TEST_CASE("an E810 taken whole is told that DPDK's driver wants its DDP package") {
  FakeMachine machine;
  machine.pci(pf, "0x020000", "ice", {{"vendor", "0x8086"}, {"device", "0x1592"}});
  machine.iommu_group(pf, "5");
  CHECK(mentions(plan_bind(machine.tree(), {{pf}, "vfio-pci", false})->notices.at(0), "ice/ddp/ice.pkg"));
  machine.file("lib/firmware/intel/ice/ddp/ice.pkg.xz", "");
  CHECK(plan_bind(machine.tree(), {{pf}, "vfio-pci", false})->notices.empty());
}

TEST_CASE("a PF that vfio-pci has makes no VFs unless told to, and they want its token") {
  FakeMachine machine;
  machine.pci(pf, "0x020000", "vfio-pci", {{"sriov_totalvfs", "64"}});
  CHECK(mentions(message(plan_create(machine.tree(), {pf, 2, true})), "vfio_pci/parameters/enable_sriov"));
  machine.file("sys/module/vfio_pci/parameters/enable_sriov", "Y\n");
  const auto plan = plan_create(machine.tree(), {pf, 2, true});
  REQUIRE(plan);
  CHECK(mentions(plan->notices.at(0), "--vfio-vf-token"));
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
  // The flag first: where it is refused, nothing is half done.
  CHECK(commands(plan) == Lines{"ethtool --set-priv-flags ens1f0 vf-true-promisc-support on",
                                "ip link set ens1f0 vf 1 mac 52:54:00:12:34:56", "ip link set ens1f0 vf 1 trust on"});
  CHECK(undos(plan) == Lines{"ethtool --set-priv-flags ens1f0 vf-true-promisc-support off",
                             "ip link set ens1f0 vf 1 mac 52:54:00:00:00:01", "ip link set ens1f0 vf 1 trust off"});
}

TEST_CASE("i40e's flag is looked for, and set, on function 0 of the card, whichever port the VF is of") {
  const TwoVfs machine;
  const std::string second = "0000:3b:00.1";
  machine.pci(second, "0x020000", "i40e", {{"sriov_totalvfs", "64"}});
  machine.pci("0000:3b:0a.0", "0x020000", "vfio-pci");
  machine.virtual_function(second, 0, "0000:3b:0a.0");
  machine.interface(second, "ens1f1", {{"operstate", "up"}});
  const auto devices = list_pci_devices(machine.tree());
  const auto parent = describe_parent(machine.tree(), devices, *find_device(devices, second));
  CHECK(parent.interface == "ens1f1");
  CHECK(parent.flag_interface == "ens1f0");
  const auto plan =
      plan_trust(machine.tree(), {.vf = "3b:0a.0", .trust = true}, {link_of(0)}, {{"vf-true-promisc-support", false}});
  CHECK(commands(plan) ==
        Lines{"ethtool --set-priv-flags ens1f0 vf-true-promisc-support on", "ip link set ens1f1 vf 0 trust on"});
}

TEST_CASE("a flag that cannot be seen is not taken for one that is on") {
  FakeMachine machine;
  const std::string second = "0000:3b:00.1";
  machine.pci(pf, "0x020000", "vfio-pci");
  machine.pci(second, "0x020000", "i40e");
  machine.interface(second, "ens1f1");
  const auto devices = list_pci_devices(machine.tree());
  const auto parent = describe_parent(machine.tree(), devices, *find_device(devices, second));
  CHECK(parent.flag_interface.empty());
  auto trusted = link_of(0);
  trusted.trusted = true;
  CHECK(mentions(promiscuous_remark(parent, 0, trusted), "only " + pf + " of the card shows"));
}

TEST_CASE("a VF in use is not reset behind its user's back, unless forced") {
  const TwoVfs machine;
  machine.link("proc/321/fd/7", "/dev/vfio/57");
  const TrustRequest trust{.vf = "3b:02.0", .trust = true};
  const auto refused = plan_trust(machine.tree(), trust, {link_of(0)}, {});
  CHECK(mentions(message(refused), "process 321 has it open"));
  CHECK(mentions(message(refused), "--force"));
  auto forced = trust;
  forced.force = true;
  CHECK(commands(plan_trust(machine.tree(), forced, {link_of(0)}, {})).size() == 1);
  CHECK(mentions(message(plan_trust(machine.tree(), {.vf = "3b:02.0", .vlan = 7}, {link_of(0)}, {})), "resets it"));
  CHECK(mentions(message(plan_trust(machine.tree(), {.vf = "3b:02.0", .mac = "52:54:00:12:34:56"}, {link_of(0)}, {})),
                 "resets it"));
  // What its PF does without a reset, and what is so already, harms nobody.
  CHECK(plan_trust(machine.tree(), {.vf = "3b:02.0", .spoof_check = false}, {link_of(0)}, {}));
  CHECK(plan_trust(machine.tree(), {.vf = "3b:02.0", .trust = false}, {link_of(0)}, {}));
}

TEST_CASE("a VF whose interface has an address, a route or a master is not reset, unless forced") {
  const auto [file, text, why] = GENERATE(table<std::string, std::string, std::string>(
      {{"proc/net/route", "Iface\tDestination\nens1f0v1\t0A000000\n", "routes lead through ens1f0v1"},
       {"proc/net/if_inet6", "20010db8000000000000000000000001 07 40 00 80 ens1f0v1\n", "ens1f0v1 has an address"},
       {"sys/class/net/ens1f0v1/upper_vlan7", "", "vlan7 is on top of ens1f0v1"}}));
  const TwoVfs machine;
  machine.file(file, text);
  const TrustRequest trust{.vf = "3b:02.1", .trust = true};
  CHECK(mentions(message(plan_trust(machine.tree(), trust, {link_of(1)}, {})), why));
  CHECK(mentions(message(plan_bind(machine.tree(), {{"3b:02.1"}, "vfio-pci", false})), why));
  auto forced = trust;
  forced.force = true;
  CHECK(plan_trust(machine.tree(), forced, {link_of(1)}, {}));
  CHECK(plan_bind(machine.tree(), {{"3b:02.1"}, "vfio-pci", true}));
}

TEST_CASE("that its PF resets a VF is told") {
  const TwoVfs machine;
  const auto plan = plan_trust(machine.tree(), {.vf = "3b:02.0", .trust = true}, {link_of(0)}, {});
  REQUIRE(plan);
  CHECK(mentions(plan->notices.at(0), "its PF resets it"));
}

TEST_CASE("ice's flag is left alone while one of its VFs may be promiscuous, and that is told") {
  const std::vector<PrivateFlag> off = {{"vf-true-promisc-support", false}};
  FakeMachine machine;
  machine.pci(pf, "0x020000", "ice");
  machine.interface(pf, "ens1", {{"operstate", "up"}});
  for (const std::string number : {"0", "1"}) {
    machine.pci("0000:3b:01." + number, "0x020000", "vfio-pci");
    machine.virtual_function(pf, number == "0" ? 0 : 1, "0000:3b:01." + number);
    machine.iommu_group("0000:3b:01." + number, "6" + number);
  }
  CHECK(commands(plan_trust(machine.tree(), {.vf = "3b:01.1", .trust = true}, {link_of(1)}, off)).size() == 2);
  machine.link("proc/321/fd/7", "/dev/vfio/60");  // VF 0 captures
  const auto plan = plan_trust(machine.tree(), {.vf = "3b:01.1", .trust = true}, {link_of(1)}, off);
  CHECK(commands(plan) == Lines{"ip link set ens1 vf 1 trust on"});
  CHECK(std::ranges::any_of(plan->notices, [](const auto& notice) { return mentions(notice, "process 321 has VF"); }));
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
  CHECK(plan_trust(machine.tree(), request, {link_of(1)}, {}).error().kind == Error::Kind::wrong_use);
}

TEST_CASE("a VF that will see only its own traffic is said to") {
  const std::vector<PrivateFlag> off = {{"vf-true-promisc-support", false}}, on = {{"vf-true-promisc-support", true}};
  const auto remark = [](const std::string& driver, const std::string& interface, const VfLink& link,
                         const std::vector<PrivateFlag>& flags) {
    return promiscuous_remark({pf, driver, interface, interface, pf, flags}, 0, link);
  };
  auto trusted = link_of(0);
  trusted.trusted = true;
  CHECK(mentions(remark("i40e", "ens1f0", link_of(0), on), "wirespool vf trust ens1f0:0 on"));
  CHECK(mentions(remark("i40e", "ens1f0", trusted, off), "vf-true-promisc-support is off"));
  CHECK(remark("i40e", "ens1f0", trusted, on).empty());
  CHECK(mentions(remark("igb", "ens1", trusted, {}), "capture on the PF"));
  CHECK(mentions(remark("ixgbe", "ens1", trusted, {}), "promisc on"));
  // It becomes the default VSI: it does see frames that are not its own.
  CHECK(mentions(remark("ice", "ens1", trusted, off), "only one VF of the PF can"));
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

TEST_CASE("the PF's own interface is found among its representors, and these by any controller's name") {
  const TwoVfs machine;
  machine.interface(pf, "a_rep0");  // sorted before the uplink
  machine.file("sys/class/net/ens1f0/phys_switch_id", "aabb");
  machine.file("sys/class/net/ens1f0/phys_port_name", "p0");
  machine.file("sys/class/net/a_rep0/phys_switch_id", "aabb");
  machine.file("sys/class/net/a_rep0/phys_port_name", "c1pf0vf0");
  machine.file("sys/class/net/rep1/phys_switch_id", "aabb");
  machine.file("sys/class/net/rep1/phys_port_name", "pf0vf1");
  machine.file("sys/class/net/rep11/phys_switch_id", "aabb");
  machine.file("sys/class/net/rep11/phys_port_name", "pf0vf11");
  const auto devices = list_pci_devices(machine.tree());
  CHECK(describe_parent(machine.tree(), devices, *find_device(devices, pf)).interface == "ens1f0");
  CHECK(commands(plan_mirror(machine.tree(), {pf, {0}, 1, true, true})).at(1) ==
        "tc filter add dev a_rep0 ingress pref 49000 matchall action mirred egress mirror dev rep1");
  CHECK(mentions(commands(plan_mirror(machine.tree(), {pf, {}, 1, true, true})).at(2), "dev ens1f0 "));
}

TEST_CASE("a PF that cannot mirror gets advice, a VF that is not there an error") {
  FakeMachine machine;
  machine.pci(pf, "0x020000", "igb", {{"sriov_totalvfs", "7"}});
  machine.pci("0000:3b:10.0", "0x020000", "igbvf");
  machine.virtual_function(pf, 0, "0000:3b:10.0");
  CHECK(mentions(message(plan_mirror(machine.tree(), {pf, {}, 0, true, true})), "capture on the PF itself"));
  CHECK(mentions(message(plan_mirror(machine.tree(), {pf, {}, 3, true, true})), "1 VFs, counted from 0"));
  CHECK(plan_mirror(machine.tree(), {pf, {0}, 0, true, true}).error().kind == Error::Kind::wrong_use);
}

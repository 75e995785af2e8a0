// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/probe.hpp"

#include "support/catch.hpp"
#include "unit/machine/fake_machine.hpp"

using Catch::Contains;
using wirespool::Error;
using wirespool::dpdk::why_untaken;
using namespace wirespool::test;

namespace {

const std::string nic = "0000:3b:00.0", vf = "0000:3b:02.0";

Error reason(const FakeMachine& machine, const std::string& address = nic) {
  return why_untaken(machine.tree(), address, address.substr(5));
}

}  // namespace

TEST_CASE("a device that is not there is told with what lists those that are") {
  const auto error = reason(FakeMachine());
  CHECK(error.what == "-a 3b:00.0");
  CHECK_THAT(error.why, Contains("no such PCI device"));
  CHECK_THAT(error.what_to_do, Contains("lspci"));
  CHECK(error.kind == Error::Kind::not_ready);
}

TEST_CASE("a device that the kernel has, or nobody, is to be bound") {
  FakeMachine machine;
  const auto* const driver = GENERATE("i40e", "");
  machine.pci(nic, "0x020000", driver);
  const auto error = reason(machine);
  CHECK_THAT(error.why, Contains(*driver ? "the kernel's i40e has it" : "no kernel driver has it"));
  CHECK_THAT(error.what_to_do, Contains("wirespool vf bind " + nic));
}

TEST_CASE("a device that its DPDK driver shares with the kernel is to be given back, and never bound") {
  FakeMachine machine;
  const auto* const driver = GENERATE("vfio-pci", "uio_pci_generic", "");
  CAPTURE(driver);
  SECTION("a ConnectX-5") {
    machine.pci(nic, "0x020000", driver, {{"vendor", "0x15b3"}, {"device", "0x1017"}});
    CHECK_THAT(reason(machine).why, Contains("beside the kernel's mlx5_core"));
  }
  SECTION("a ConnectX-5's VF, in a guest that sees no PF") {
    machine.pci(nic, "0x020000", driver, {{"vendor", "0x15b3"}, {"device", "0x1018"}});
    CHECK_THAT(reason(machine).why, Contains("beside the kernel's mlx5_core"));
  }
  SECTION("a ConnectX-3") {
    machine.pci(nic, "0x020000", driver, {{"vendor", "0x15b3"}, {"device", "0x1007"}});
    CHECK_THAT(reason(machine).why, Contains("beside the kernel's mlx4_core"));
  }
  SECTION("a MANA VF") {
    machine.pci(nic, "0x020000", driver, {{"vendor", "0x1414"}, {"device", "0x00ba"}});
    CHECK_THAT(reason(machine).why, Contains("beside the kernel's mana"));
  }
  CHECK_THAT(reason(machine).what_to_do, Contains("wirespool vf unbind " + nic) && !Contains("vf bind"));
}

TEST_CASE("a shared device that is where it should be, and was not taken, is its DPDK driver's to explain") {
  FakeMachine machine;
  const auto* const driver = GENERATE("mlx5_core", "mana");
  machine.pci(nic, "0x020000", driver);
  CHECK_THAT(reason(machine).why, Contains(std::string(driver) + " has it, as it should be"));
  CHECK_THAT(reason(machine).what_to_do, Contains("messages above"));
}

TEST_CASE("a VF whose PF is with vfio-pci too opens with the PF's token") {
  FakeMachine machine;
  machine.pci(vf, "0x020000", "vfio-pci", {{"device", "0x154c"}});
  machine.virtual_function(nic, 0, vf);
  SECTION("and is said to") {
    machine.pci(nic, "0x020000", "vfio-pci");
    CHECK_THAT(reason(machine, vf).what_to_do, Contains("--vfio-vf-token"));
  }
  SECTION("but not if the kernel has its PF") {
    machine.pci(nic, "0x020000", "i40e");
    CHECK_THAT(reason(machine, vf).what_to_do, !Contains("token"));
  }
}

TEST_CASE("an E8xx taken whole without a DDP package is told where that has to lie") {
  FakeMachine machine;
  const auto* const device = GENERATE("0x1592", "0x12d2", "0x1249");  // E810, E830, E835
  CAPTURE(device);
  machine.pci(nic, "0x020000", "vfio-pci", {{"device", device}});
  CHECK_THAT(reason(machine).why, Contains("ice/ddp/ice.pkg"));
  CHECK_THAT(reason(machine).what_to_do, Contains("-a 3b:00.0,safe-mode-support=1"));
  machine.file("lib/firmware/intel/ice/ddp/ice.pkg", "");
  CHECK_THAT(reason(machine).why, Contains("no driver of DPDK took it") && !Contains("DDP"));
}

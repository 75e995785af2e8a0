// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "unit/machine/fake_machine.hpp"
#include "vf/link.hpp"
#include "vf/vf.hpp"

using namespace wirespool;
using namespace wirespool::vf;
using test::FakeMachine;

namespace {

const std::string pf = "0000:3b:00.0";
const std::string directory = "sys/bus/pci/devices/" + pf + "/";

struct OnePf : FakeMachine {
  OnePf() {
    this->pci(pf, "0x020000", "igb",
              {{"sriov_totalvfs", "7"}, {"sriov_numvfs", "0"}, {"sriov_drivers_autoprobe", "1"}});
  }
  std::string memory() const { return path("run/wirespool/vf.json"); }
  Perform hands() const {
    return [this](VfStep& step) { return perform(tree(), step); };
  }
};

std::expected<void, Error> refuse(VfStep&) { return std::unexpected(Error{.what = "no", .kind = Error::Kind::failed}); }

VfAction trust(const std::string& value) {
  return {.kind = VfAction::Kind::set_vf, .about = pf, .target = "ens1", .name = "trust", .value = value, .number = 1};
}

}  // namespace

TEST_CASE("what was changed survives in the file and is put back, newest first") {
  const OnePf machine;
  auto memory = VfMemory::load(machine.memory());
  REQUIRE(memory);
  REQUIRE(carry_out(*plan_create(machine.tree(), {pf, 3, false}), *memory, machine.hands()));
  CHECK(machine.content(directory + "sriov_numvfs").starts_with("3"));
  CHECK(machine.content(directory + "sriov_drivers_autoprobe").starts_with("0"));
  auto again = VfMemory::load(machine.memory());
  INFO((again ? "" : again.error().message()));
  REQUIRE(again);
  const auto plan = plan_reset(machine.tree(), *again, "");
  REQUIRE(plan->steps.size() == 2);
  CHECK(describe(plan->steps[0].action).ends_with("sriov_numvfs"));
  REQUIRE(reset(machine.tree(), *plan, *again, machine.hands()));
  CHECK(machine.content(directory + "sriov_numvfs").starts_with("0"));
  CHECK(machine.content(directory + "sriov_drivers_autoprobe").starts_with("1"));
  CHECK(VfMemory::load(machine.memory())->undos().empty());
}

TEST_CASE("a setting changed twice goes back to what it was first") {
  const OnePf machine;
  auto memory = VfMemory::load(machine.memory());
  REQUIRE(memory->remember(trust("off")));
  REQUIRE(memory->remember(trust("on")));
  REQUIRE(memory->undos().size() == 1);
  CHECK(memory->undos()[0].value == "off");
}

TEST_CASE("a step that fails is not remembered, those before it are") {
  const OnePf machine;
  auto memory = VfMemory::load(machine.memory());
  const auto plan = plan_create(machine.tree(), {pf, 3, false});
  unsigned done = 0;
  const auto result = carry_out(
      *plan, *memory, [&](VfStep& step) { return done++ == 0 ? std::expected<void, Error>() : refuse(step); });
  CHECK_FALSE(result);
  REQUIRE(memory->undos().size() == 1);
  CHECK(memory->undos()[0].target.ends_with("sriov_drivers_autoprobe"));
}

TEST_CASE("what could not be put back stays remembered") {
  const OnePf machine;
  auto memory = VfMemory::load(machine.memory());
  REQUIRE(carry_out(*plan_create(machine.tree(), {pf, 3, true}), *memory, machine.hands()));
  CHECK_FALSE(reset(machine.tree(), *plan_reset(machine.tree(), *memory, ""), *memory, refuse));
  CHECK(VfMemory::load(machine.memory())->undos().size() == 1);
}

TEST_CASE("what has gone with its device is forgotten") {
  const OnePf machine;
  auto memory = VfMemory::load(machine.memory());
  REQUIRE(memory->remember({.kind = VfAction::Kind::bind, .about = pf, .target = "0000:3b:10.0"}));
  REQUIRE(reset(machine.tree(), *plan_reset(machine.tree(), *memory, ""), *memory, refuse));
  CHECK(memory->undos().empty());
}

TEST_CASE("a reset of one PF leaves the others' changes alone") {
  const OnePf machine;
  auto memory = VfMemory::load(machine.memory());
  auto other = trust("off");
  other.about = "0000:5e:00.0";
  other.target = "ens2";
  REQUIRE(memory->remember(trust("off")));
  REQUIRE(memory->remember(other));
  CHECK(plan_reset(machine.tree(), *memory, pf)->steps.size() == 1);
  CHECK(plan_reset(machine.tree(), *memory, "")->steps.size() == 2);
}

TEST_CASE("a reset waits for nobody: a VF in use refuses it") {
  const OnePf machine;
  machine.pci("0000:3b:10.0", "0x020000", "vfio-pci");
  machine.virtual_function(pf, 0, "0000:3b:10.0");
  machine.iommu_group("0000:3b:10.0", "9");
  machine.link("proc/77/fd/3", "/dev/vfio/9");
  auto memory = VfMemory::load(machine.memory());
  REQUIRE(memory->remember(
      {.kind = VfAction::Kind::write_file, .about = pf, .target = directory + "sriov_numvfs", .value = "0"}));
  const auto plan = plan_reset(machine.tree(), *memory, "");
  REQUIRE_FALSE(plan);
  CHECK(plan.error().message().find("process 77") != std::string::npos);
}

TEST_CASE("a trust that is put back resets the VF: not while it is in use") {
  const OnePf machine;
  machine.pci("0000:3b:10.0", "0x020000", "igbvf");
  machine.pci("0000:3b:10.1", "0x020000", "vfio-pci");
  machine.virtual_function(pf, 0, "0000:3b:10.0");
  machine.virtual_function(pf, 1, "0000:3b:10.1");
  machine.iommu_group("0000:3b:10.1", "9");
  auto memory = VfMemory::load(machine.memory());
  REQUIRE(memory->remember(trust("off")));
  CHECK(plan_reset(machine.tree(), *memory, ""));
  machine.link("proc/77/fd/3", "/dev/vfio/9");
  const auto plan = plan_reset(machine.tree(), *memory, "");
  REQUIRE_FALSE(plan);
  CHECK(plan.error().message().find("0000:3b:10.1: process 77") != std::string::npos);
}

TEST_CASE("a trust that the driver took and did not give is found out") {
  auto link = VfLink{.number = 1, .mac = "", .trusted = false};
  const auto taken = check_taken(trust("on"), {link});
  REQUIRE_FALSE(taken);
  CHECK(taken.error().message().find("left it off") != std::string::npos);
  CHECK(check_taken(trust("off"), {link}));
  link.trusted = true;
  CHECK(check_taken(trust("on"), {link}));
  link.trusted = std::nullopt;  // not told: nothing to hold it to
  CHECK(check_taken(trust("on"), {link}));
}

TEST_CASE(
    "root is not told to be root: a locked-down kernel is, and a flag that is refused while a VF is promiscuous") {
  const OnePf machine;
  const VfAction mirror{.kind = VfAction::Kind::i40e_mirror, .about = pf, .target = pf};
  CHECK(advice_on(machine.tree(), mirror, EPERM, false) == "run as root");
  CHECK(advice_on(machine.tree(), mirror, EPERM, true) == "dmesg may say more");
  machine.file("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  CHECK(advice_on(machine.tree(), mirror, EPERM, true).find("locked down (integrity") != std::string::npos);
  CHECK(advice_on(machine.tree(), mirror, ENOENT, true) == "dmesg may say more");
  const VfAction flag{.kind = VfAction::Kind::set_flag, .about = pf, .target = "ens1"};
  CHECK(advice_on(machine.tree(), flag, EAGAIN, true).find("promiscuous") != std::string::npos);
}

TEST_CASE("a damaged memory is said, not ignored") {
  const OnePf machine;
  machine.file("run/wirespool/vf.json", "{\"undo\": [{\"kind\":");
  CHECK_FALSE(VfMemory::load(machine.memory()));
}

TEST_CASE("binding writes the override, takes the device from its driver and probes") {
  const OnePf machine;
  machine.file("sys/bus/pci/drivers/igb/unbind", "");
  machine.file("sys/bus/pci/drivers_probe", "");
  machine.file(directory + "driver_override", "(null)\n");
  VfStep step{{.kind = VfAction::Kind::bind, .about = pf, .target = pf, .value = "vfio-pci"}, std::nullopt};
  REQUIRE(perform(machine.tree(), step));
  CHECK(machine.content(directory + "driver_override").starts_with("vfio-pci"));
  CHECK(machine.content("sys/bus/pci/drivers/igb/unbind") == pf);
  CHECK(machine.content("sys/bus/pci/drivers_probe") == pf);
}

TEST_CASE("a write that is refused names the file") {
  const OnePf machine;
  VfStep step{{.kind = VfAction::Kind::write_file, .about = pf, .target = directory + "nothing", .value = "1"},
              std::nullopt};
  const auto done = perform(machine.tree(), step);
  REQUIRE_FALSE(done);
  CHECK(done.error().message().find("/" + directory + "nothing: No such file or directory") != std::string::npos);
}

TEST_CASE("a command that fails or is not there is said") {
  const OnePf machine;
  VfStep step{{.kind = VfAction::Kind::run, .about = pf, .command = {"false"}}, std::nullopt};
  CHECK(perform(machine.tree(), step).error().message() == "'false' failed");
  step.action.command = {"wirespool-no-such-program"};
  CHECK(perform(machine.tree(), step).error().message().find("package") != std::string::npos);
  step.action.command = {"true"};
  CHECK(perform(machine.tree(), step));
}

TEST_CASE("what a step may find done already is not undone later") {
  const OnePf machine;
  auto memory = VfMemory::load(machine.memory());
  VfPlan plan;
  VfAction action{.kind = VfAction::Kind::run, .about = pf, .command = {"false"}, .may_fail = true};
  plan.steps.push_back({action, VfAction{.kind = VfAction::Kind::run, .about = pf, .command = {"true"}}});
  CHECK(carry_out(plan, *memory, machine.hands()));
  CHECK(memory->undos().empty());
}

TEST_CASE("Intel's i40e driver's answers are read out of the kernel's log") {
  const std::vector<std::string> lines = {"6,1234,5678,-;i40e 0000:3b:00.0: header: 3 reported 3 total",
                                          "6,1235,5678,-;i40e 0000:3b:00.0: type=19 seid=392 uplink=160 downlink=16",
                                          "6,1236,5678,-;i40e 0000:3b:00.0: type=17 seid=160 uplink=2 downlink=0",
                                          "6,1237,5679,-;i40e 0000:3b:00.0: vf  1: VSI id=14, seid=395, qps=4",
                                          "6,1238,5680,-;i40e 0000:3b:00.0: Ingress mirror rule 2 added"};
  CHECK(bridge_seid(lines) == 160u);
  CHECK(vf_seid(lines, 1) == 395u);
  CHECK_FALSE(vf_seid(lines, 2));
  CHECK(rule_id(lines) == 2u);
  CHECK_FALSE(rule_id({"ingress mirror failed with status -53"}));
}

TEST_CASE("the rule's identifier, known only when it is made, is what is remembered") {
  const OnePf machine;
  auto memory = VfMemory::load(machine.memory());
  VfPlan plan;
  const VfAction action{.kind = VfAction::Kind::i40e_mirror, .about = pf, .target = pf, .name = "ingress", .number = 1};
  plan.steps.push_back({action, action});
  REQUIRE(carry_out(plan, *memory, [](VfStep& step) {
    step.undo->value = "160 2";
    return std::expected<void, Error>();
  }));
  REQUIRE(memory->undos().size() == 1);
  CHECK(describe(memory->undos()[0]) ==
        "echo 'del switch ingress mirror 160 2' > /sys/kernel/debug/i40e/0000:3b:00.0/command");
}

TEST_CASE("the list shows each PF, its VFs and what they will not see") {
  const OnePf machine;
  machine.interface(pf, "ens1");
  machine.pci("0000:3b:10.0", "0x020000", "igbvf");
  machine.virtual_function(pf, 0, "0000:3b:10.0");
  const auto rows = list_functions(machine.tree());
  REQUIRE(rows.size() == 1);
  CHECK(render_table(rows).find("0000:3b:00.0  ens1  igb  1 of 7 VFs") == 0);
  const auto json = nlohmann::json::parse(render_json(rows));
  CHECK(json["physical_functions"][0]["vfs"][0]["address"] == "0000:3b:10.0");
  CHECK(json["physical_functions"][0]["vfs"][0]["remark"].get<std::string>().find("PF") != std::string::npos);
  CHECK(render_table({}) == "no network device here can have virtual functions\n");
}

// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <nlohmann/json.hpp>

#include "doctor/doctor.hpp"
#include "support/catch.hpp"

using namespace wirespool::doctor;
using namespace wirespool::machine;

namespace {

constexpr std::uint64_t gib = 1ull << 30;

// A machine with nothing to say against it: one VF on vfio-pci, one NVMe drive, both on node 0.
Facts good_machine() {
  Facts facts;
  facts.memory.pools = {{0, gib, 8, 8}};
  facts.memory.mounts = {{"/dev/hugepages", gib, 0}};
  for (unsigned id = 0; id < 4; ++id)
    facts.processor.cpus.push_back({id, 0, true, id > 0, id > 0, "performance", {id}});
  facts.processor.deepest_idle = IdleState{"C1", 2};
  facts.processor.steady_tsc = true;
  facts.process.capabilities = ~0ull;
  facts.vfio = {true, true, false, {{57, true}}};
  facts.clock = ClockFacts{true, 100, 10};
  PciDevice parent, vf;
  parent.address = "0000:3b:00.0";
  parent.class_code = 0x020000;
  parent.driver = "i40e";
  parent.numa_node = 0;
  parent.link = parent.link_max = {8.0, 8};
  parent.vfs_possible = 64;
  parent.virtual_functions = {"0000:3b:02.0"};
  parent.interfaces = {"ens1f0"};
  vf.address = "0000:3b:02.0";
  vf.class_code = 0x020000;
  vf.driver = "vfio-pci";
  vf.numa_node = 0;
  vf.iommu_group = 57;
  vf.physical_function = parent.address;
  facts.devices = {parent, vf};
  facts.interfaces = {{"ens1f0", 40000, true, ""}};
  DirectoryFacts directory;
  directory.path = directory.real_path = directory.mount_point = "/data/nvme0";
  directory.writable = true;
  directory.file_system = "xfs";
  directory.device_name = "nvme0n1";
  directory.numa_node = 0;
  directory.device = 1;
  directory.total_bytes = 1000 * gib;
  directory.free_bytes = 900 * gib;
  directory.logical_block = directory.physical_block = 4096;
  directory.scheduler = "none";
  directory.direct_io_how = DirectIo::looked;
  directory.direct_io = directory.preallocation = true;
  facts.directories = {directory};
  return facts;
}

// The finding about `topic` (and `subject`) that is not ok.
const Finding* complaint(const std::vector<Finding>& findings, const std::string& topic,
                         const std::string& subject = "") {
  const auto found = std::ranges::find_if(findings, [&](const Finding& finding) {
    return finding.topic == topic && finding.level != Level::ok && (subject.empty() || finding.subject == subject);
  });
  return found == findings.end() ? nullptr : &*found;
}

void check_complaint(const Facts& facts, const std::string& topic, Level level, const std::string& fix) {
  const auto findings = judge(facts);
  const auto* finding = complaint(findings, topic);
  INFO(topic);
  REQUIRE(finding != nullptr);
  CHECK(finding->level == level);
  CHECK(finding->fix.find(fix) != std::string::npos);
}

}  // namespace

TEST_CASE("a good machine gets no complaint") {
  for (const auto& finding : judge(good_machine())) {
    INFO(finding.topic << " " << finding.subject << ": " << finding.text);
    CHECK(finding.level == Level::ok);
    CHECK(finding.fix.empty());
  }
}

TEST_CASE("every complaint carries what to do") {
  Facts facts;  // a machine of which nothing is known has much to complain about
  facts.processor.cpus = {{}};
  facts.directories = {{}};
  facts.clock = ClockFacts{};
  for (const auto& finding : judge(facts)) {
    INFO(finding.topic);
    CHECK(finding.fix.empty() == (finding.level == Level::ok));
  }
}

TEST_CASE("no hugepages must be fixed, on the host if this is a container") {
  auto facts = good_machine();
  facts.memory.pools = {{0, 2 << 20, 0, 0}};
  check_complaint(facts, "hugepages", Level::must_fix, "echo 1024 > /proc/sys/vm/nr_hugepages");
  facts.platform.container = "podman";
  check_complaint(facts, "hugepages", Level::must_fix, "on the host: ");
}

TEST_CASE("hugepages that are all taken by files of dead programs name those files") {
  auto facts = good_machine();
  facts.memory.pools = {{0, gib, 8, 0}};
  facts.memory.mounts[0].left_files = 8;
  check_complaint(facts, "hugepages", Level::must_fix, "rm /dev/hugepages/rtemap_*");
}

TEST_CASE("hugepages on the wrong node get the command for the right one") {
  auto facts = good_machine();
  facts.memory.pools = {{0, 2 << 20, 0, 0}, {1, 2 << 20, 512, 512}};
  facts.memory.mounts[0].page_bytes = 2 << 20;
  check_complaint(facts, "hugepages", Level::advice, "/sys/devices/system/node/node0/");
}

TEST_CASE("hugepages of a size without a mount must be mounted") {
  auto facts = good_machine();
  facts.memory.mounts.clear();
  check_complaint(facts, "hugetlbfs", Level::must_fix, "mount -t hugetlbfs");
}

TEST_CASE("a control group without hugepages must be given some") {
  auto facts = good_machine();
  facts.memory.hugepage_limit = 0;
  check_complaint(facts, "hugepage limit", Level::must_fix, "hugepages-2Mi");
}

TEST_CASE("CPUs to isolate are on the port's node and leave the first core alone") {
  auto facts = good_machine();
  facts.processor.cpus.clear();
  for (unsigned id = 0; id < 8; ++id) {
    facts.processor.cpus.push_back({id, id < 4 ? 0 : 1, true, false, false, "", {id & ~1u, id | 1u}});
  }
  check_complaint(facts, "isolated CPUs", Level::advice, "isolcpus=managed_irq,domain,2-3 ");
  check_complaint(facts, "SMT", Level::advice, "-l out of 0,2,4,6");
}

TEST_CASE("governor, idle states, TSC and stolen time are advised on") {
  auto facts = good_machine();
  facts.processor.cpus[2].governor = "powersave";
  facts.processor.deepest_idle = IdleState{"C6", 133};
  facts.processor.steady_tsc = false;
  facts.processor.stolen = 0.02;
  check_complaint(facts, "governor", Level::advice, "scaling_governor");
  check_complaint(facts, "C-states", Level::advice, "cpupower idle-set");
  check_complaint(facts, "TSC", Level::advice, "invtsc");
  check_complaint(facts, "stolen time", Level::advice, "vcpupin");
}

TEST_CASE("a plain user is advised, root in a container must get what is missing") {
  auto facts = good_machine();
  facts.process.capabilities = 0;
  facts.process.memlock = 8 << 20;
  facts.process.user = 1000;
  check_complaint(facts, "RLIMIT_MEMLOCK", Level::advice, "ulimit -l unlimited");
  check_complaint(facts, "capabilities", Level::advice, "sudo");
  facts.process.user = 0;
  facts.platform.container = "docker";
  check_complaint(facts, "RLIMIT_MEMLOCK", Level::must_fix, "--ulimit memlock=-1");
  check_complaint(facts, "capabilities", Level::advice, "--privileged");
}

TEST_CASE("a forbidden io_uring is advised on") {
  auto facts = good_machine();
  facts.process.io_uring_refusal = "io_uring_setup: Operation not permitted";
  check_complaint(facts, "io_uring", Level::advice, "--io pwrite");
}

TEST_CASE("a device on vfio-pci without an IOMMU must be helped, without a device it is advice") {
  auto facts = good_machine();
  facts.vfio.iommu = false;
  check_complaint(facts, "IOMMU", Level::must_fix, "intel_iommu=on");
  facts.devices.pop_back();
  check_complaint(facts, "IOMMU", Level::advice, "intel_iommu=on");
  check_complaint(facts, "port", Level::advice, "wirespool vf bind 0000:3b:00.0");
}

TEST_CASE("an interface with routes is not the one to take from the kernel") {
  auto facts = good_machine();
  facts.devices.pop_back();
  facts.interfaces[0].in_use = "routes lead through ens1f0";
  check_complaint(facts, "port", Level::advice, "net_af_packet0");
}

TEST_CASE("a device that DPDK shares with the kernel is not the one to take from it, and is to be given back") {
  auto facts = good_machine();
  facts.devices[0].vendor = 0x15b3;
  facts.devices[0].device = 0x1017;
  facts.devices.pop_back();
  check_complaint(facts, "port", Level::advice, "net_af_packet0");
  facts.devices[0].driver = "vfio-pci";
  facts.devices[0].iommu_group = 57;
  check_complaint(facts, "port", Level::must_fix, "wirespool vf unbind 0000:3b:00.0");
  facts.devices[0].driver = "mlx5_core";
  CHECK(complaint(judge(facts), "port") == nullptr);
}

TEST_CASE("an E810 on vfio-pci without a DDP package does not start, its VFs do") {
  auto facts = good_machine();
  auto& port = facts.devices[0];
  port.vendor = 0x8086;
  port.device = 0x159b;
  CHECK(complaint(judge(facts), "firmware") == nullptr);  // with the kernel
  port.driver = "vfio-pci";
  port.iommu_group = 57;
  check_complaint(facts, "firmware", Level::must_fix, "safe-mode-support=1");
  facts.ddp_package = true;
  CHECK(complaint(judge(facts), "firmware") == nullptr);
}

TEST_CASE("a VF whose PF is with vfio-pci too needs the PF's token") {
  auto facts = good_machine();
  CHECK(complaint(judge(facts), "VF token") == nullptr);
  facts.devices[0].driver = "vfio-pci";
  facts.devices[0].iommu_group = 57;
  check_complaint(facts, "VF token", Level::advice, "--vfio-vf-token");
}

TEST_CASE("another device of the group that the kernel holds must be released") {
  auto facts = good_machine();
  auto other = facts.devices[1];
  other.address = "0000:3b:02.1";
  other.driver = "iavf";
  facts.devices.push_back(other);
  check_complaint(facts, "IOMMU group", Level::must_fix, "wirespool vf bind 0000:3b:02.1");
}

TEST_CASE("a VF whose PF is down is told so") {
  auto facts = good_machine();
  facts.interfaces[0].up = false;
  check_complaint(facts, "port", Level::advice, "ip link set ens1f0 up");
}

TEST_CASE("a slot that carries less than the port must be changed, one below the card's own speed may be") {
  auto facts = good_machine();
  facts.devices[0].link = {8.0, 4};
  check_complaint(facts, "PCIe slot", Level::must_fix, "more lanes");
  facts.interfaces[0].mbit_per_s = 10000;
  check_complaint(facts, "PCIe slot", Level::advice, "more lanes");
}

TEST_CASE("a port without a CPU of its own node is advised on") {
  auto facts = good_machine();
  facts.devices[1].numa_node = 1;
  check_complaint(facts, "NUMA", Level::advice, "numactl --cpunodebind=1");
}

TEST_CASE("directories: not writable, no O_DIRECT, full, far away") {
  auto facts = good_machine();
  auto& directory = facts.directories[0];
  directory.for_everybody = true;
  check_complaint(facts, "directory", Level::advice, "chmod o-w /data/nvme0");
  directory.writable = false;
  check_complaint(facts, "directory", Level::must_fix, "chown");
  directory.mount_options = "ro,relatime";
  check_complaint(facts, "directory", Level::must_fix, "mount -o remount,rw /data/nvme0");
  directory.direct_io = false;
  check_complaint(facts, "O_DIRECT", Level::must_fix, "--io pwrite");
  directory.direct_io_how = DirectIo::unknown;
  check_complaint(facts, "O_DIRECT", Level::advice, "--try-write /data/nvme0");
  directory.free_bytes = 200 * gib;
  check_complaint(facts, "drive fill", Level::advice, "wirespool ls");
  directory.free_bytes = 0;
  check_complaint(facts, "drive fill", Level::must_fix, "wirespool ls");
  directory.preallocation = false;
  check_complaint(facts, "preallocation", Level::advice, "--try-write");
  directory.numa_node = 1;
  check_complaint(facts, "NUMA", Level::advice, "--writer-lcores");
  directory.scheduler = "mq-deadline";
  check_complaint(facts, "drive", Level::advice, "/sys/block/nvme0n1/queue/scheduler");
}

TEST_CASE("two directories on one drive are told so") {
  auto facts = good_machine();
  facts.directories.push_back(facts.directories[0]);
  facts.directories[1].path = "/data/too";
  const auto findings = judge(facts);
  CHECK(complaint(findings, "drive", "/data/nvme0") == nullptr);
  CHECK(complaint(findings, "drive", "/data/too") != nullptr);
}

TEST_CASE("a clock nobody keeps is advised on") {
  auto facts = good_machine();
  facts.clock->synchronised = false;
  check_complaint(facts, "clock", Level::advice, "chrony");
}

TEST_CASE("the JSON says what the findings say, and whether the machine is ready") {
  DoctorReport report{good_machine(), {}};
  report.facts.not_seen["proc/1/environ"] = "Permission denied";
  report.findings = judge(report.facts);
  auto json = nlohmann::json::parse(render_json(report));
  CHECK(json["ready"] == true);
  CHECK(json["findings"].size() == report.findings.size());
  CHECK(json["not_seen"][0]["what"] == "proc/1/environ");
  CHECK(json["facts"]["devices"][1]["physical_function"] == "0000:3b:00.0");
  CHECK(json["facts"]["directories"][0]["logical_block_bytes"] == 4096);
  report.facts.memory.mounts.clear();
  report.findings = judge(report.facts);
  CHECK(nlohmann::json::parse(render_json(report))["ready"] == false);
}

TEST_CASE("the table keeps commands in one piece and counts at the end") {
  DoctorReport report{good_machine(), {}};
  report.facts.memory.pools.clear();
  report.findings = judge(report.facts);
  const auto table = render_table(report, 60);
  CHECK(table.find("          -> echo 1024 > /proc/sys/vm/nr_hugepages\n") != std::string::npos);
  CHECK(table.find(" 0 advice, 1 must fix\n") != std::string::npos);
}

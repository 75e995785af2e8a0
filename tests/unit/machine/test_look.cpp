// SPDX-License-Identifier: BSD-3-Clause
#include <unistd.h>

#include "machine/facts.hpp"
#include "support/catch.hpp"
#include "unit/machine/fake_machine.hpp"

using namespace wirespool;
using test::FakeMachine;

namespace {

constexpr std::uint64_t mib = 1 << 20;

}  // namespace

TEST_CASE("hugepages are counted per NUMA node and size") {
  FakeMachine machine;
  for (const std::string node : {"node0", "node1"}) {
    const auto directory = "sys/devices/system/node/" + node + "/hugepages/hugepages-";
    machine.file(directory + "2048kB/nr_hugepages", "512\n");
    machine.file(directory + "2048kB/free_hugepages", "500\n");
    machine.file(directory + "1048576kB/nr_hugepages", "0\n");
    machine.file(directory + "1048576kB/free_hugepages", "0\n");
  }
  const auto pools = machine::look_at_memory(machine.tree()).pools;
  REQUIRE(pools.size() == 4);
  CHECK(pools[1].page_bytes == 2 * mib);
  CHECK(pools[1].free_pages == 500);
  CHECK(pools[2].numa_node == 1);
  CHECK(pools[2].page_bytes == 1024 * mib);
}

TEST_CASE("a kernel without NUMA still shows its hugepages") {
  FakeMachine machine;
  machine.file("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "64\n");
  CHECK(machine::look_at_memory(machine.tree()).pools.at(0).pages == 64);
}

TEST_CASE("a hugetlbfs mount tells its page size and the map files left in it") {
  FakeMachine machine;
  machine.file("proc/mounts",
               "proc /proc proc rw 0 0\nnodev /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0\n"
               "nodev /mnt/huge1G hugetlbfs rw,pagesize=1024M 0 0\n");
  machine.file("dev/hugepages/rtemap_0", "");
  machine.file("dev/hugepages/rtemap_1", "");
  const auto mounts = machine::look_at_memory(machine.tree()).mounts;
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].page_bytes == 2 * mib);
  CHECK(mounts[0].left_files == 2);
  CHECK(mounts[1].page_bytes == 1024 * mib);
}

TEST_CASE("a control group's hugepage limit is found, and 'max' is none") {
  FakeMachine machine;
  machine.file("proc/self/cgroup", "0::/kubepods/pod1\n");
  machine.file("sys/fs/cgroup/kubepods/pod1/hugetlb.2MB.max", "max\n");
  machine.file("sys/fs/cgroup/kubepods/pod1/hugetlb.1GB.max", "max\n");
  CHECK_FALSE(machine::look_at_memory(machine.tree()).hugepage_limit);
  machine.file("sys/fs/cgroup/kubepods/pod1/hugetlb.2MB.max", "0\n");
  CHECK(machine::look_at_memory(machine.tree()).hugepage_limit == 0u);
}

TEST_CASE("CPUs: isolated, allowed, siblings, governor and idle states") {
  FakeMachine machine;
  const std::string cpus = "sys/devices/system/cpu/";
  machine.file(cpus + "online", "0-3\n");
  machine.file(cpus + "isolated", "2-3\n");
  machine.file(cpus + "nohz_full", "3\n");
  machine.file("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0,2-3\n");
  machine.file("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu constant_tsc nonstop_tsc hypervisor\n");
  machine.file("proc/stat", "cpu  80 0 10 1000 0 0 0 10 0 0\n");
  machine.file(cpus + "cpu2/topology/thread_siblings_list", "2-3\n");
  machine.file(cpus + "cpu2/cpufreq/scaling_governor", "powersave\n");
  machine.directory(cpus + "cpu2/node1");
  machine.file(cpus + "cpu3/cpuidle/state0/latency", "0\n");
  machine.file(cpus + "cpu3/cpuidle/state2/name", "C6\n");
  machine.file(cpus + "cpu3/cpuidle/state2/latency", "133\n");
  machine.file(cpus + "cpu3/cpuidle/state3/latency", "900\n");
  machine.file(cpus + "cpu3/cpuidle/state3/disable", "1\n");
  const auto processor = machine::look_at_processor(machine.tree());
  REQUIRE(processor.cpus.size() == 4);
  CHECK_FALSE(processor.cpus[1].allowed);
  CHECK(processor.cpus[2].isolated);
  CHECK_FALSE(processor.cpus[2].tickless);
  CHECK(processor.cpus[3].tickless);
  CHECK(processor.cpus[2].siblings == std::vector<unsigned>{2, 3});
  CHECK(processor.cpus[2].governor == "powersave");
  CHECK(processor.cpus[2].numa_node == 1);
  CHECK(processor.steady_tsc);
  CHECK(processor.deepest_idle->name == "C6");
  CHECK(processor.deepest_idle->latency_us == 133);
  CHECK(*processor.stolen == 0.1);
}

TEST_CASE("limits and capabilities are this process's") {
  FakeMachine machine;
  machine.file("proc/self/status",
               "Uid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000004000\nSeccomp:\t2\nSeccomp_filters:\t1\n");
  machine.file("proc/self/limits",
               "Limit                     Soft Limit           Hard Limit           Units     \n"
               "Max open files            1024                 524288               files     \n"
               "Max locked memory         8388608              8388608              bytes     \n");
  const auto process = machine::look_at_process(machine.tree());
  CHECK(process.user == 1000);
  CHECK(process.capabilities == 1u << 14);
  CHECK(process.seccomp == 2);
  CHECK(process.memlock == 8 * mib);
  CHECK(process.nofile == 1024u);
}

TEST_CASE("containers are told apart") {
  FakeMachine machine;
  const auto container = [&] { return machine::look_at_platform(machine.tree()).container; };
  CHECK(container().empty());
  machine.file("proc/self/cgroup", "12:pids:/lxc/probe\n");
  CHECK(container() == "lxc");
  machine.file(".dockerenv", "");
  CHECK(container() == "docker");
  machine.file("run/.containerenv", "");
  CHECK(container() == "podman");
  machine.file("run/systemd/container", "systemd-nspawn\n");
  CHECK(container() == "systemd-nspawn");
  machine.directory("run/secrets/kubernetes.io");
  CHECK(container() == "kubernetes");
}

TEST_CASE("a whole machine made from a container image is no container") {
  FakeMachine machine;
  machine.file(".dockerenv", "");
  machine.file("proc/2/comm", "kthreadd\n");
  machine.file("proc/mounts", "/dev/vda / ext4 rw 0 0\n");
  CHECK(machine::look_at_platform(machine.tree()).container.empty());
}

TEST_CASE("hypervisors are told from real machines of the same makers") {
  FakeMachine machine;
  const auto hypervisor = [&] { return machine::look_at_platform(machine.tree()).hypervisor; };
  machine.file("sys/class/dmi/id/sys_vendor", "Microsoft Corporation\n");
  machine.file("sys/class/dmi/id/product_name", "Surface\n");
  machine.file("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu tsc\n");
  CHECK(hypervisor().empty());
  machine.file("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu tsc hypervisor\n");
  CHECK(hypervisor() == "Hyper-V");
  machine.file("sys/class/dmi/id/sys_vendor", "QEMU\n");
  CHECK(hypervisor() == "QEMU, emulated without KVM");
  machine.file("sys/devices/system/clocksource/clocksource0/available_clocksource", "kvm-clock tsc acpi_pm\n");
  CHECK(hypervisor() == "KVM");
}

TEST_CASE("a host sees which of its guests lie on hugepages") {
  FakeMachine machine;
  machine.file("proc/77/comm", "qemu-system-x86\n");
  machine.file("proc/77/status", "Name:\tqemu-system-x86\nHugetlbPages:\t 2097152 kB\n");
  machine.file("proc/78/comm", "bash\n");
  const auto guests = machine::look_at_platform(machine.tree()).guests;
  REQUIRE(guests.size() == 1);
  CHECK(guests[0].process == 77);
  CHECK(guests[0].hugepage_bytes == 2048 * mib);
}

TEST_CASE("vfio: IOMMU, driver, groups") {
  FakeMachine machine;
  CHECK_FALSE(machine::look_at_vfio(machine.tree()).iommu);
  machine.directory("sys/class/iommu/dmar0");
  machine.directory("sys/bus/pci/drivers/vfio-pci");
  machine.file("dev/vfio/57", "");
  machine.file("dev/vfio/vfio", "");
  machine.file("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
  const auto vfio = machine::look_at_vfio(machine.tree());
  CHECK(vfio.iommu);
  CHECK(vfio.driver_loaded);
  CHECK(vfio.no_iommu_mode);
  CHECK(vfio.group_access == std::map<unsigned, bool>{{57, true}});
}

TEST_CASE("a directory is traced to its mount, its drive and the drive's NUMA node") {
  FakeMachine machine;
  machine.directory("spool");
  const auto path = std::filesystem::canonical(machine.path("spool")).string();
  machine.file("proc/self/mountinfo",
               "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
               "22 21 259:3 / " +
                   path + " rw,noatime shared:4 - xfs /dev/nvme1n1p1 rw,attr2\n");
  machine.file("dev/nvme1n1p1", "");
  const std::string drive = "sys/devices/pci0000:00/0000:5e:00.0/nvme/nvme1/nvme1n1/";
  machine.file(drive + "nvme1n1p1/partition", "1\n");
  machine.file(drive + "queue/logical_block_size", "4096\n");
  machine.file(drive + "queue/physical_block_size", "4096\n");
  machine.file(drive + "queue/rotational", "0\n");
  machine.file(drive + "queue/scheduler", "[none] mq-deadline\n");
  machine.file("sys/bus/pci/devices/0000:5e:00.0/numa_node", "1\n");
  machine.link("sys/class/block/nvme1n1p1", "../../devices/pci0000:00/0000:5e:00.0/nvme/nvme1/nvme1n1/nvme1n1p1");
  const auto facts = machine::look_at_directory(machine.tree(), path, false);
  CHECK(facts.problem.empty());
  CHECK(facts.writable);
  CHECK(facts.file_system == "xfs");
  CHECK(facts.mount_options == "rw,noatime,rw,attr2");
  CHECK(facts.device_name == "nvme1n1");
  CHECK(facts.pci_address == "0000:5e:00.0");
  CHECK(facts.numa_node == 1);
  CHECK(facts.logical_block == 4096);
  CHECK(facts.scheduler == "none");
}

TEST_CASE("a directory that is not there has a problem and nothing else") {
  FakeMachine machine;
  const auto facts = machine::look_at_directory(machine.tree(), machine.path("nothing"), false);
  CHECK(facts.problem == "No such file or directory");
  machine.file("plain", "");
  CHECK(machine::look_at_directory(machine.tree(), machine.path("plain"), false).problem == "not a directory");
}

TEST_CASE("looking at a directory leaves it as it was, a trial too") {
  FakeMachine machine;
  machine.directory("spool");
  const auto path = machine.path("spool");
  const auto before = std::filesystem::last_write_time(path);
  machine::look_at_directory(machine.tree(), path, false);
  CHECK(std::filesystem::is_empty(path));
  CHECK(std::filesystem::last_write_time(path) == before);
  const auto facts = machine::look_at_directory(machine.tree(), path, true);
  CHECK(std::filesystem::is_empty(path));
  CHECK(facts.direct_io_how == machine::DirectIo::tried);
}

TEST_CASE("an existing file tells whether its directory takes O_DIRECT") {
  FakeMachine machine;
  machine.file("spool/old.pcap", "x");
  const auto facts = machine::look_at_directory(machine.tree(), machine.path("spool"), false);
  CHECK(facts.direct_io_how == machine::DirectIo::looked);
}

TEST_CASE("what may not be read is said") {
  FakeMachine machine;
  machine.file("proc/1/environ", "container=lxc");
  std::filesystem::permissions(machine.path("proc/1/environ"), std::filesystem::perms::none);
  const auto tree = machine.tree();
  const auto user = geteuid();
  if (user == 0) REQUIRE(seteuid(65534) == 0);  // root may read everything
  machine::look_at_platform(tree);
  if (user == 0) REQUIRE(seteuid(0) == 0);
  CHECK(tree.refused().contains("proc/1/environ"));
}

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "machine/machine_tree.hpp"
#include "machine/pci.hpp"
#include "machine/system_clock.hpp"

namespace wirespool::machine {

// What `wirespool doctor` found out about a machine: plain facts, without judgement. nullopt: not known.

struct HugepagePool {
  int numa_node = 0;
  std::uint64_t page_bytes = 0;
  std::uint64_t pages = 0, free_pages = 0;
};

struct HugepageMount {
  std::string path;
  std::uint64_t page_bytes = 0;
  unsigned left_files = 0;  // rtemap_* files: of a running DPDK program, or left by one that died
};

struct MemoryFacts {
  std::vector<HugepagePool> pools;
  std::vector<HugepageMount> mounts;
  std::optional<std::uint64_t> hugepage_limit;  // bytes this control group may use; nullopt: no limit
  bool numa_balancing = false;
  std::uint64_t total_bytes = 0, available_bytes = 0;
};

struct CpuFacts {
  unsigned id = 0;
  int numa_node = 0;
  bool allowed = true;             // this process may run on it
  bool isolated = false;           // isolcpus= or a cpuset partition
  bool tickless = false;           // nohz_full=
  std::string governor;            // "" where there is no frequency scaling
  std::vector<unsigned> siblings;  // hyper-threads of its core, itself included
};

struct IdleState {
  std::string name;
  unsigned latency_us = 0;
};

struct ProcessorFacts {
  std::vector<CpuFacts> cpus;             // online
  std::optional<IdleState> deepest_idle;  // enabled on some CPU
  bool steady_tsc = false;                // constant_tsc and nonstop_tsc
  std::string clock_source;
  std::optional<double> stolen;  // share of busy time a hypervisor gave to others since boot
};

struct ProcessFacts {
  unsigned user = 0;
  std::uint64_t capabilities = 0;                // effective, capabilities(7) bit numbers
  std::optional<std::uint64_t> memlock, nofile;  // soft limits; nullopt: unlimited
  unsigned seccomp = 0;                          // 2: a filter is in force, as in a container
  std::optional<std::string> io_uring_refusal;   // why io_uring does not work here; nullopt: it does
};

struct Guest {
  std::string program;  // "qemu-system-x86_64"
  unsigned process = 0;
  std::uint64_t hugepage_bytes = 0;
};

struct PlatformFacts {
  std::string container;      // "docker", "podman", "kubernetes", "lxc", "" for none
  std::string hypervisor;     // "KVM", "VMware", "", ...
  std::vector<Guest> guests;  // virtual machines this machine runs
};

struct VfioFacts {
  bool iommu = false;  // at least one IOMMU is at work
  bool driver_loaded = false;
  bool no_iommu_mode = false;
  std::map<unsigned, bool> group_access;  // /dev/vfio/N is there: may this process use it?
};

struct InterfaceFacts {
  std::string name;
  std::optional<unsigned> mbit_per_s;
  bool up = false;
  std::string in_use;  // who uses it, or ""
};

// How it is known whether O_DIRECT works. `looked`: an existing file was opened with it; `tried`: a trial write
// (--try-write).
enum class DirectIo { unknown, expected, looked, tried };

struct DirectoryFacts {
  std::string path, real_path;
  std::string problem;  // why it cannot be used at all; everything below is then empty
  bool writable = false;
  bool for_everybody = false;  // every user may make names in it
  std::string file_system, mount_point, mount_options;
  std::string device_name;  // "nvme0n1", "" where no block device is behind it
  std::string pci_address;  // of the drive
  int numa_node = -1;
  std::uint64_t device = 0;  // st_dev
  std::uint64_t total_bytes = 0, free_bytes = 0;
  std::uint32_t logical_block = 0, physical_block = 0;
  bool rotational = false;
  std::string scheduler;
  DirectIo direct_io_how = DirectIo::unknown;
  bool direct_io = false;
  std::uint32_t direct_block = 0;    // smallest direct write the file system names, 0 if it does not
  bool preallocation_tried = false;  // else inferred from the file system's name
  bool preallocation = false;
};

struct Facts {
  MemoryFacts memory;
  ProcessorFacts processor;
  ProcessFacts process;
  PlatformFacts platform;
  VfioFacts vfio;
  bool ddp_package = false;  // as Intel's E8xx need
  std::optional<ClockFacts> clock;
  std::vector<PciDevice> devices;
  std::vector<InterfaceFacts> interfaces;
  std::vector<DirectoryFacts> directories;
  std::map<std::string, std::string> not_seen;  // what -> why
};

struct LookOptions {
  std::vector<std::string> directories;
  bool try_write = false;  // an unnamed file (O_TMPFILE) in each directory, gone when closed
};

// Finds everything out below `tree`. Facts that only system calls on this machine can tell (adjtimex(2),
// io_uring_setup(2)) are left out for any other tree.
Facts look_around(const MachineTree& tree, const LookOptions& options);

// Its parts.
MemoryFacts look_at_memory(const MachineTree& tree);
ProcessorFacts look_at_processor(const MachineTree& tree);
ProcessFacts look_at_process(const MachineTree& tree);
PlatformFacts look_at_platform(const MachineTree& tree);
VfioFacts look_at_vfio(const MachineTree& tree);
DirectoryFacts look_at_directory(const MachineTree& tree, const std::string& path, bool try_write);
std::vector<InterfaceFacts> look_at_interfaces(const MachineTree& tree, const std::vector<PciDevice>& devices);

}  // namespace wirespool::machine

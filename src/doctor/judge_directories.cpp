// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "doctor/doctor.hpp"

namespace wirespool::doctor {
namespace {

void add(std::vector<Finding>& findings, Level level, const char* topic, const machine::DirectoryFacts& directory,
         std::string text, std::string fix = "") {
  findings.push_back({level, topic, directory.path, std::move(text), std::move(fix)});
}

void judge_use(const machine::DirectoryFacts& directory, std::vector<Finding>& findings) {
  if (!directory.problem.empty()) {
    add(findings, Level::must_fix, "directory", directory, directory.problem, "mkdir -p " + directory.path);
    return;
  }
  const auto device = directory.device_name.empty() ? "no block device" : directory.device_name;
  const auto text = fmt::format("{} on {}, node {}, {} of {} free", directory.file_system, device, directory.numa_node,
                                describe_bytes(directory.free_bytes), describe_bytes(directory.total_bytes));
  if (directory.writable) {
    add(findings, Level::ok, "directory", directory, text);
    return;
  }
  const bool read_only =
      directory.mount_options.starts_with("ro") || directory.mount_options.find(",ro") != std::string::npos;
  add(findings, Level::must_fix, "directory", directory,
      text + (read_only ? "; mounted read-only" : "; not writable for this user"),
      read_only ? "mount -o remount,rw " + directory.mount_point : "chown $(id -u) " + directory.path);
}

void judge_strangers(const machine::DirectoryFacts& directory, std::vector<Finding>& findings) {
  if (directory.for_everybody)
    add(findings, Level::advice, "directory", directory, "every user may write into it: names can be planted there",
        "chmod o-w " + directory.path);
}

void judge_direct_io(const machine::DirectoryFacts& directory, std::vector<Finding>& findings) {
  const auto how = directory.direct_io_how;
  if (how == machine::DirectIo::unknown) {
    add(findings, Level::advice, "O_DIRECT", directory,
        directory.file_system + " may or may not take it, and there is no file to try reading",
        "wirespool doctor --try-write " + directory.path);
  } else if (!directory.direct_io) {
    add(findings, Level::must_fix, "O_DIRECT", directory, "not on " + directory.file_system,
        "a drive with XFS or ext4 (mkfs.xfs), or capture with --io pwrite, which then goes through the page cache");
  } else {
    const auto told = how == machine::DirectIo::tried    ? "a trial write worked"
                      : how == machine::DirectIo::looked ? "an existing file opens with it"
                                                         : "expected of " + directory.file_system;
    const auto unit = directory.direct_block == 0 ? "" : fmt::format(", in units of {} bytes", directory.direct_block);
    add(findings, Level::ok, "O_DIRECT", directory, told + unit);
  }
}

void judge_blocks(const machine::DirectoryFacts& directory, std::vector<Finding>& findings) {
  if (directory.logical_block != 0) {
    add(findings, Level::ok, "drive blocks", directory,
        fmt::format("logical {}, physical {} bytes", directory.logical_block, directory.physical_block));
  }
  // Virtual disks say "rotational" whatever their host has.
  if (directory.rotational && directory.device_name.starts_with("sd")) {
    add(findings, Level::advice, "drive", directory,
        directory.device_name + " says it has turning disks: some 1-2 Gbit/s at best",
        "measure it: wirespool disk-bench " + directory.path);
  }
  const bool nvme = directory.device_name.starts_with("nvme");
  if (nvme && !directory.scheduler.empty() && directory.scheduler != "none") {
    add(findings, Level::advice, "drive", directory, "its I/O scheduler is " + directory.scheduler,
        fmt::format("echo none > /sys/block/{}/queue/scheduler", directory.device_name));
  }
}

void judge_fill(const machine::DirectoryFacts& directory, std::vector<Finding>& findings) {
  if (directory.total_bytes == 0) return;
  const auto used = 1.0 - static_cast<double>(directory.free_bytes) / static_cast<double>(directory.total_bytes);
  const auto text = fmt::format("{:.0f} % full", used * 100);
  // Many drives write more slowly when more than three quarters full, as free flash gets scarce.
  const auto level = directory.free_bytes == 0 ? Level::must_fix : used > 0.75 ? Level::advice : Level::ok;
  add(findings, level, "drive fill", directory, text,
      level == Level::ok ? ""
                         : fmt::format("wirespool ls {0}; move old captures away, then fstrim {1}", directory.path,
                                       directory.mount_point));
}

void judge_preallocation(const machine::DirectoryFacts& directory, std::vector<Finding>& findings) {
  if (directory.preallocation) {
    add(findings, Level::ok, "preallocation", directory,
        directory.preallocation_tried ? "a trial worked" : "expected of " + directory.file_system);
    return;
  }
  add(findings, Level::advice, "preallocation", directory,
      directory.preallocation_tried ? "does not work: every write makes its file longer, one after the other"
                                    : "not known of " + directory.file_system,
      directory.preallocation_tried ? "a drive with XFS or ext4" : "wirespool doctor --try-write " + directory.path);
}

void judge_place(const machine::Facts& facts, const machine::DirectoryFacts& directory,
                 std::vector<Finding>& findings) {
  for (const auto* port : ready_ports(facts)) {
    if (port->numa_node < 0 || directory.numa_node < 0 || port->numa_node == directory.numa_node) continue;
    add(findings, Level::advice, "NUMA", directory,
        fmt::format("{} is on node {}, port {} on node {}", directory.device_name, directory.numa_node, port->address,
                    port->numa_node),
        "use drives of the port's node, or give the drive a writer lcore of its own node (--writer-lcores)");
  }
  const auto drive = std::ranges::find(facts.devices, directory.pci_address, &machine::PciDevice::address);
  if (drive == facts.devices.end() || !drive->link.known() || !drive->link_max.known()) return;
  if (drive->link.gbit_per_s() >= 0.99 * drive->link_max.gbit_per_s()) return;
  add(findings, Level::advice, "PCIe slot", directory,
      fmt::format("{} runs at {} GT/s x{}, could do {} GT/s x{}", drive->address, drive->link.gigatransfers,
                  drive->link.width, drive->link_max.gigatransfers, drive->link_max.width),
      "move the drive to a slot with more lanes");
}

void judge_shared_drive(const std::vector<machine::DirectoryFacts>& directories, std::size_t at,
                        std::vector<Finding>& findings) {
  const auto& directory = directories[at];
  for (std::size_t other = 0; other < at; ++other) {
    if (directories[other].device != directory.device || !directories[other].problem.empty()) continue;
    add(findings, Level::advice, "drive", directory,
        "on the same drive as " + directories[other].path + ": they share its bandwidth", "one directory a drive");
    return;
  }
}

}  // namespace

void judge_directories(const machine::Facts& facts, std::vector<Finding>& findings) {
  for (std::size_t i = 0; i < facts.directories.size(); ++i) {
    const auto& directory = facts.directories[i];
    judge_use(directory, findings);
    judge_strangers(directory, findings);
    if (!directory.problem.empty()) continue;
    judge_direct_io(directory, findings);
    judge_blocks(directory, findings);
    judge_fill(directory, findings);
    judge_preallocation(directory, findings);
    judge_place(facts, directory, findings);
    judge_shared_drive(facts.directories, i, findings);
  }
}

}  // namespace wirespool::doctor

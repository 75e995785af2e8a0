// SPDX-License-Identifier: BSD-3-Clause
#include "plan/plan_steps.hpp"

#include <fmt/format.h>

#include "options/values.hpp"
#include "plan/route.hpp"

namespace wirespool::plan {
namespace {

void check_direct_io(const CaptureConfig& config, const MachineDrive& drive, Findings& findings) {
  if (drive.direct_io) return;
  if (config.io == Io::pwrite) {
    findings.notices.push_back(
        fmt::format("{}: {} takes no O_DIRECT: writes go through the page cache", drive.path, drive.file_system));
    return;
  }
  findings.problems.push_back({"--output", fmt::format("{}: {} takes no O_DIRECT", drive.path, drive.file_system),
                               "use a directory on ext4 or XFS, or --io pwrite for buffered writes",
                               Error::Kind::not_ready});
}

void check_block_size(const CaptureConfig& config, const MachineDrive& drive, Findings& findings) {
  if (!drive.direct_io || drive.block_bytes == 0 || config.block_size % drive.block_bytes == 0) return;
  findings.problems.push_back({"--block-size",
                               fmt::format("{} is not a multiple of the {} bytes that {} writes at once",
                                           config.block_size, drive.block_bytes, drive.path),
                               fmt::format("give a multiple of {}", drive.block_bytes)});
}

void check_twice(const MachineDrive& drive, const MachineDrive& earlier, Findings& findings) {
  if (drive.real_path == earlier.real_path) {
    findings.problems.push_back({"--output", fmt::format("{} and {} are the same directory", earlier.path, drive.path),
                                 "give each drive once"});
  } else if (drive.device != 0 && drive.device == earlier.device) {
    findings.notices.push_back(
        fmt::format("{} and {} are on one file system: they share its speed", earlier.path, drive.path));
  }
}

void note_little_room(const CaptureConfig& config, const MachineDrive& drive, Findings& findings) {
  if (drive.free_bytes == 0 || drive.free_bytes >= config.rotate_size) return;
  findings.notices.push_back(fmt::format("{}: {} free, less than one file of {}", drive.path,
                                         options::format_size(drive.free_bytes),
                                         options::format_size(config.rotate_size)));
}

PlannedDrive planned(const MachineDrive& drive) {
  return {drive.path,      drive.real_path,   drive.device_name, drive.file_system,
          drive.numa_node, drive.block_bytes, drive.direct_io};
}

}  // namespace

std::vector<PlannedDrive> plan_drives(const CaptureConfig& config, const Machine& machine, Findings& findings) {
  std::vector<PlannedDrive> drives;
  if (!to_drives(config)) {
    if (!config.outputs.empty())
      findings.notices.push_back("--output: nothing is written, as --until stops before the drives");
    return drives;
  }
  for (std::size_t i = 0; i < machine.drives.size(); ++i) {
    const auto& drive = machine.drives[i];
    check_direct_io(config, drive, findings);
    check_block_size(config, drive, findings);
    note_little_room(config, drive, findings);
    for (std::size_t earlier = 0; earlier < i; ++earlier) check_twice(drive, machine.drives[earlier], findings);
    drives.push_back(planned(drive));
  }
  return drives;
}

}  // namespace wirespool::plan

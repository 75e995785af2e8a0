// SPDX-License-Identifier: BSD-3-Clause
#include "storage/drive_parts.hpp"

#include <fstream>
#include <system_error>
#include <vector>

namespace wirespool::storage {
namespace {

namespace fs = std::filesystem;

template <typename Number>
std::optional<Number> read_number(const fs::path& file) {
  std::ifstream in(file);
  Number value{};
  if (!(in >> value)) return std::nullopt;
  return value;
}

// The queue belongs to the whole disk; a partition is a directory inside that of its disk.
std::uint32_t logical_block_bytes(const fs::path& device) {
  for (const fs::path& disk : {device, device.parent_path()})
    if (const auto bytes = read_number<std::uint32_t>(disk / "queue/logical_block_size")) return *bytes;
  return 0;
}

// The NUMA node of the nearest bus device above that has one (Documentation/ABI/testing/sysfs-bus-pci: numa_node).
int node_above(fs::path device) {
  for (; device.has_relative_path(); device = device.parent_path())
    if (const auto node = read_number<int>(device / "numa_node"); node && *node >= 0) return *node;
  return -1;
}

std::vector<fs::path> links_in(const fs::path& directory) {
  std::vector<fs::path> targets;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const fs::path target = entry.is_symlink(error) ? fs::canonical(entry.path(), error) : fs::path{};
    if (!target.empty()) targets.push_back(target);
  }
  return targets;
}

int numa_node(const fs::path& device, int depth = 0) {
  if (const int node = node_above(device); node >= 0) return node;
  if (depth == 4) return -1;  // enough for a device mapper on a RAID on partitions; ends loops
  const fs::path disk = fs::exists(device / "partition") ? device.parent_path() : device;
  // dm and md stand on `slaves`; an NVMe namespace with several paths is below its subsystem, which has links to
  // controllers.
  for (const fs::path& below : links_in(disk / "slaves"))
    if (const int node = numa_node(below, depth + 1); node >= 0) return node;
  if (disk.parent_path().filename().string().starts_with("nvme-subsys"))
    for (const fs::path& controller : links_in(disk.parent_path()))
      if (const int node = node_above(controller); node >= 0) return node;
  return -1;
}

std::optional<BlockDevice> at_link(const fs::path& link) {
  std::error_code error;
  const fs::path device = fs::canonical(link, error);
  if (error) return std::nullopt;
  return BlockDevice{device.filename().string(), logical_block_bytes(device), numa_node(device)};
}

}  // namespace

std::optional<BlockDevice> block_device(const fs::path& sysfs, unsigned major, unsigned minor) {
  return at_link(sysfs / "dev/block" / (std::to_string(major) + ":" + std::to_string(minor)));
}

std::optional<BlockDevice> block_device(const fs::path& sysfs, const std::string& dev_path) {
  if (!dev_path.starts_with("/dev/")) return std::nullopt;
  std::error_code error;
  const fs::path real = fs::canonical(dev_path, error);  // /dev/mapper/NAME is a link to /dev/dm-N
  return at_link(sysfs / "class/block" / (error ? fs::path(dev_path) : real).filename());
}

}  // namespace wirespool::storage

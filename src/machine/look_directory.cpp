// SPDX-License-Identifier: BSD-3-Clause
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <system_error>

#include "machine/drive_look.hpp"
#include "machine/facts.hpp"

namespace wirespool::machine {
namespace fs = std::filesystem;
namespace {

struct Mount {
  std::string point, options, type, source;
};

// mountinfo writes blanks in names as \040 (proc_pid_mountinfo(5)).
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool octal = text[i] == '\\' && i + 3 < text.size();
    plain += octal ? static_cast<char>(std::strtol(text.substr(i + 1, 3).c_str(), nullptr, 8)) : text[i];
    if (octal) i += 3;
  }
  return plain;
}

bool lies_below(const std::string& path, const std::string& point) {
  return point == "/" || path == point || path.starts_with(point + "/");
}

// The mount a path lies on: the longest mount point that leads to it, the last mounted if there are several.
Mount find_mount(const MachineTree& tree, const std::string& real_path) {
  Mount best;
  std::istringstream lines(tree.text("proc/self/mountinfo").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id, parent, numbers, root, word;
    Mount mount;
    words >> id >> parent >> numbers >> root >> mount.point >> mount.options;
    while (words >> word && word != "-") continue;  // optional fields
    std::string super_options;
    words >> mount.type >> mount.source >> super_options;
    mount.point = unescaped(mount.point);
    mount.options += "," + super_options;
    if (lies_below(real_path, mount.point) && mount.point.size() >= best.point.size()) best = std::move(mount);
  }
  return best;
}

// The last PCI address in a path below /sys/devices.
std::string pci_address_in(const fs::path& path) {
  std::string address;
  for (const auto& part : path) {
    const auto name = part.string();  // 0000:3b:00.0
    if (name.size() == 12 && name[4] == ':' && name[7] == ':' && name[10] == '.') address = name;
  }
  return address;
}

// The block device of a mount: by number where the file system has one device, else by the name of the mount's source
// (btrfs gives its files device numbers of no device).
fs::path find_block_device(const MachineTree& tree, dev_t device, const Mount& mount) {
  std::error_code error;
  const auto by_number = "sys/dev/block/" + std::to_string(major(device)) + ":" + std::to_string(minor(device));
  auto found = fs::canonical(tree.path(by_number), error);
  if (!error) return found;
  if (!mount.source.starts_with("/dev/")) return {};
  const auto source = fs::weakly_canonical(tree.path(mount.source.substr(1)), error);
  found = fs::canonical(tree.path("sys/class/block/" + source.filename().string()), error);
  return error ? fs::path() : found;
}

// "mq-deadline [none]" -> "none"
std::string chosen(const std::string& list) {
  const auto open = list.find('[');
  const auto close = list.find(']');
  return open == std::string::npos || close == std::string::npos ? list : list.substr(open + 1, close - open - 1);
}

void describe_block_device(const MachineTree& tree, fs::path device, DirectoryFacts& facts) {
  const MachineTree below("/");
  const auto file = [&](const char* name) { return (device / name).string().substr(1); };
  if (below.exists(file("partition"))) device = device.parent_path();
  facts.device_name = device.filename();
  facts.logical_block = static_cast<std::uint32_t>(below.number(file("queue/logical_block_size")).value_or(0));
  facts.physical_block = static_cast<std::uint32_t>(below.number(file("queue/physical_block_size")).value_or(0));
  facts.rotational = below.number(file("queue/rotational")).value_or(0) != 0;
  facts.scheduler = chosen(below.line(file("queue/scheduler")).value_or(""));
  // A device mapper or md volume is made of its slaves; the first one stands for all.
  for (auto slaves = below.names(file("slaves")); !slaves.empty(); slaves = below.names(file("slaves"))) {
    std::error_code error;
    device = fs::canonical(device / "slaves" / slaves.front(), error);
    if (error) return;
  }
  facts.pci_address = pci_address_in(device);
  const auto node = tree.signed_number("sys/bus/pci/devices/" + facts.pci_address + "/numa_node");
  facts.numa_node = facts.pci_address.empty() ? -1 : static_cast<int>(node.value_or(-1));
}

template <std::size_t N>
bool is_one_of(const std::string& name, const std::array<const char*, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Without a trial: what this kind of file system is known to do (the kernel's own drivers, Linux 5.15 to 6.18).
void expect_by_name(DirectoryFacts& facts) {
  facts.preallocation =
      is_one_of(facts.file_system, std::array<const char*, 5>{"ext4", "xfs", "btrfs", "f2fs", "tmpfs"});
  if (facts.direct_io_how != DirectIo::unknown) return;
  if (!is_one_of(facts.file_system, std::array<const char*, 6>{"ext4", "xfs", "btrfs", "f2fs", "ext2", "ext3"})) return;
  facts.direct_io_how = DirectIo::expected;
  facts.direct_io = true;
}

void look_at_direct_io(DirectoryFacts& facts) {
  const auto look = look_for_direct_io(facts.real_path);
  if (!look) return;
  facts.direct_io_how = DirectIo::looked;
  facts.direct_io = look->direct_io;
  facts.direct_block = look->block_bytes;
}

void try_writing(DirectoryFacts& facts) {
  const auto trial = try_direct_io(facts.real_path);
  if (!trial) {
    facts.problem = trial.error().message();
    return;
  }
  facts.direct_io_how = DirectIo::tried;
  facts.direct_io = trial->direct_io;
  facts.direct_block = trial->block_bytes;
  facts.preallocation = trial->preallocation;
  facts.preallocation_tried = true;
}

}  // namespace

DirectoryFacts look_at_directory(const MachineTree& tree, const std::string& path, bool try_write) {
  DirectoryFacts facts;
  facts.path = path;
  std::error_code error;
  facts.real_path = fs::canonical(path, error);
  struct stat status {};
  if (error || stat(facts.real_path.c_str(), &status) != 0) {
    facts.problem = error ? error.message() : std::generic_category().message(errno);
    return facts;
  }
  if (!S_ISDIR(status.st_mode)) {
    facts.problem = "not a directory";
    return facts;
  }
  facts.writable = access(facts.real_path.c_str(), W_OK | X_OK) == 0;
  facts.for_everybody = (status.st_mode & S_IWOTH) != 0;
  facts.device = status.st_dev;
  const auto space = fs::space(facts.real_path, error);
  if (!error) {
    facts.total_bytes = space.capacity;
    facts.free_bytes = space.available;
  }
  const auto mount = find_mount(tree, facts.real_path);
  facts.file_system = mount.type;
  facts.mount_point = mount.point;
  facts.mount_options = mount.options;
  const auto device = find_block_device(tree, status.st_dev, mount);
  if (!device.empty()) describe_block_device(tree, device, facts);
  look_at_direct_io(facts);
  expect_by_name(facts);
  if (try_write && facts.writable) try_writing(facts);
  return facts;
}

}  // namespace wirespool::machine

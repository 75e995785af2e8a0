// SPDX-License-Identifier: BSD-3-Clause
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "machine/facts.hpp"
#include "machine/interface.hpp"

namespace wirespool::machine {
namespace {

// The value of "key:  value" in a file of such lines, or "".
std::string field(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    const auto value = line.find_first_not_of(" \t:", key.size());
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

// "Max locked memory   8388608   8388608   bytes": soft, hard, unit (proc_pid_limits(5))
std::optional<std::uint64_t> soft_limit(const std::string& limits, const std::string& name) {
  const auto value = field(limits, name);
  if (value.empty() || value.starts_with("unlimited")) return std::nullopt;
  return std::strtoull(value.c_str(), nullptr, 10);
}

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

// The kind of container, by its program's name or its cgroup paths.
std::string container_by_trace(const std::string& text) {
  static constexpr std::array<std::pair<const char*, const char*>, 5> traces = {{{"kubepods", "kubernetes"},
                                                                                 {"libpod", "podman"},
                                                                                 {"docker", "docker"},
                                                                                 {"container=lxc", "lxc"},
                                                                                 {"/lxc", "lxc"}}};
  for (const auto& [trace, name] : traces) {
    if (text.find(trace) != std::string::npos) return name;
  }
  return "";
}

// An image made by docker may also be the root of a whole machine, where /.dockerenv means nothing: there kthreadd
// (process 2) is visible, and the root is no overlay.
bool is_docker(const MachineTree& tree) {
  if (!tree.exists(".dockerenv")) return false;
  return tree.line("proc/2/comm").value_or("") != "kthreadd" ||
         tree.text("proc/mounts").value_or("").find("overlay / ") != std::string::npos;
}

std::string look_for_container(const MachineTree& tree) {
  if (tree.exists("run/secrets/kubernetes.io")) return "kubernetes";
  // systemd's container interface: https://systemd.io/CONTAINER_INTERFACE/
  if (auto name = tree.line("run/systemd/container"); name && !name->empty()) return *name;
  if (tree.exists("run/.containerenv")) return "podman";
  if (is_docker(tree)) return "docker";
  const auto name = container_by_trace(tree.text("proc/self/cgroup").value_or(""));
  return name.empty() ? container_by_trace(tree.text("proc/1/environ").value_or("")) : name;
}

bool offers_kvm_clock(const MachineTree& tree) {
  return tree.text("sys/devices/system/clocksource/clocksource0/available_clocksource")
             .value_or("")
             .find("kvm-clock") != std::string::npos;
}

std::string look_for_hypervisor(const MachineTree& tree) {
  static constexpr std::array<std::pair<const char*, const char*>, 7> makers = {{{"QEMU", "KVM"},
                                                                                 {"KVM", "KVM"},
                                                                                 {"VMware", "VMware"},
                                                                                 {"Microsoft", "Hyper-V"},
                                                                                 {"Amazon EC2", "EC2"},
                                                                                 {"Google", "Google Compute Engine"},
                                                                                 {"innotek", "VirtualBox"}}};
  // Documentation/arch/x86: a hypervisor sets this flag for its guests; a real machine's DMI may name the same makers.
  const auto flags = field(tree.text("proc/cpuinfo").value_or(""), "flags") + " ";
  const bool x86_guest = flags.find(" hypervisor ") != std::string::npos;
  if (const auto type = tree.line("sys/hypervisor/type")) return *type == "xen" ? "Xen" : *type;
  const auto named = tree.line("sys/class/dmi/id/sys_vendor").value_or("") + " " +
                     tree.line("sys/class/dmi/id/product_name").value_or("");
  for (const auto& [maker, name] : makers) {
    if ((x86_guest || std::string(maker) == "QEMU") && named.find(maker) != std::string::npos) {
      // The same virtual machine, but with every instruction emulated: it cannot be fast.
      const bool emulated = std::string(maker) == "QEMU" && x86_guest && !offers_kvm_clock(tree);
      return emulated ? "QEMU, emulated without KVM" : name;
    }
  }
  if (!x86_guest) return "";
  return offers_kvm_clock(tree) ? "KVM" : "unknown hypervisor";
}

std::vector<Guest> look_for_guests(const MachineTree& tree) {
  std::vector<Guest> guests;
  for (const auto& process : tree.names("proc")) {
    if (!is_number(process)) continue;
    const auto name = tree.line("proc/" + process + "/comm").value_or("");
    if (!name.starts_with("qemu-system") && !name.starts_with("cloud-hyperviso")) continue;
    const auto huge = field(tree.text("proc/" + process + "/status").value_or(""), "HugetlbPages");
    guests.push_back(
        {name, static_cast<unsigned>(std::atoi(process.c_str())), std::strtoull(huge.c_str(), nullptr, 10) * 1024});
  }
  return guests;
}

}  // namespace

ProcessFacts look_at_process(const MachineTree& tree) {
  ProcessFacts process;
  const auto status = tree.text("proc/self/status").value_or("");
  const auto limits = tree.text("proc/self/limits").value_or("");
  std::istringstream users(field(status, "Uid"));  // real, effective, saved, file system
  unsigned real = 0;
  users >> real >> process.user;
  process.capabilities = std::strtoull(field(status, "CapEff").c_str(), nullptr, 16);
  process.seccomp = static_cast<unsigned>(std::atoi(field(status, "Seccomp:").c_str()));
  process.memlock = soft_limit(limits, "Max locked memory");
  process.nofile = soft_limit(limits, "Max open files");
  return process;
}

PlatformFacts look_at_platform(const MachineTree& tree) {
  return {look_for_container(tree), look_for_hypervisor(tree), look_for_guests(tree)};
}

VfioFacts look_at_vfio(const MachineTree& tree) {
  VfioFacts vfio;
  vfio.iommu = !tree.names("sys/class/iommu").empty();
  vfio.driver_loaded = tree.exists("sys/bus/pci/drivers/vfio-pci");
  vfio.no_iommu_mode = tree.line("sys/module/vfio/parameters/enable_unsafe_noiommu_mode").value_or("N") == "Y";
  for (const auto& name : tree.names("dev/vfio")) {
    const auto number = name.starts_with("noiommu-") ? name.substr(8) : name;
    if (!is_number(number)) continue;
    vfio.group_access[static_cast<unsigned>(std::atoi(number.c_str()))] =
        access(tree.path("dev/vfio/" + name).c_str(), R_OK | W_OK) == 0;
  }
  return vfio;
}

std::vector<InterfaceFacts> look_at_interfaces(const MachineTree& tree, const std::vector<PciDevice>& devices) {
  std::vector<InterfaceFacts> interfaces;
  for (const auto& device : devices) {
    for (const auto& name : device.interfaces) {
      const auto directory = "sys/class/net/" + name + "/";
      InterfaceFacts interface { name, std::nullopt, false, in_use(tree, name) };
      const auto speed = tree.signed_number(directory + "speed").value_or(-1);  // -1: not known
      if (speed > 0) interface.mbit_per_s = static_cast<unsigned>(speed);
      interface.up = tree.line(directory + "operstate").value_or("") == "up";
      interfaces.push_back(std::move(interface));
    }
  }
  return interfaces;
}

}  // namespace wirespool::machine

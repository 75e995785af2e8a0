// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "machine/machine_tree.hpp"
#include "support/temp_dir.hpp"

namespace wirespool::test {

// A /sys and /proc of our own: a directory with the few files a test writes, gone at the end.
class FakeMachine {
 public:
  machine::MachineTree tree() const { return machine::MachineTree(directory_.path()); }
  std::filesystem::path path(std::string_view below) const { return directory_.path() / below; }

  void file(std::string_view below, std::string_view text) const {
    std::filesystem::create_directories(path(below).parent_path());
    std::ofstream(path(below)) << text;
  }
  void directory(std::string_view below) const { std::filesystem::create_directories(path(below)); }
  void link(std::string_view below, std::string_view target) const {
    std::filesystem::create_directories(path(below).parent_path());
    std::filesystem::create_symlink(target, path(below));
  }
  std::string content(std::string_view below) const { return tree().text(below).value_or(""); }

  using Lines = std::initializer_list<std::pair<const char*, const char*>>;

  // A PCI device: its files, and its driver if it has one.
  void pci(const std::string& address, const char* device_class, const char* driver, Lines files = {}) const {
    const auto directory = "sys/bus/pci/devices/" + address + "/";
    file(directory + "class", device_class);
    file(directory + "vendor", "0x8086");
    file(directory + "device", "0x1583");
    for (const auto& [name, text] : files) file(directory + name, text);
    if (*driver == 0) return;
    this->directory(std::string("sys/bus/pci/drivers/") + driver);
    link(directory + "driver", std::string("../../drivers/") + driver);
  }
  void iommu_group(const std::string& address, const std::string& number) const {
    link("sys/bus/pci/devices/" + address + "/iommu_group", "../../../../kernel/iommu_groups/" + number);
  }
  void interface(const std::string& address, const std::string& name, Lines files = {}) const {
    directory("sys/bus/pci/devices/" + address + "/net/" + name);
    for (const auto& [file_name, text] : files) file("sys/class/net/" + name + "/" + file_name, text);
  }
  void virtual_function(const std::string& parent, unsigned number, const std::string& address) const {
    link("sys/bus/pci/devices/" + parent + "/virtfn" + std::to_string(number), "../" + address);
    link("sys/bus/pci/devices/" + address + "/physfn", "../" + parent);
  }

 private:
  TempDir directory_;
};

}  // namespace wirespool::test

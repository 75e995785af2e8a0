// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wirespool::machine {

// A machine as its kernel shows it in small files: /sys, /proc, /dev and /run below `root`. "/" is this machine; a test
// passes a directory with the few files it needs. Paths are given without the leading slash. Only reads; remembers what
// was there but could not be read. Single-threaded.
class MachineTree {
 public:
  explicit MachineTree(std::filesystem::path root = "/") : root_(std::move(root)) {}

  std::filesystem::path path(std::string_view below) const { return root_ / below; }
  bool is_this_machine() const { return root_ == "/"; }

  std::optional<std::string> text(std::string_view below) const;      // the whole file
  std::optional<std::string> line(std::string_view below) const;      // its first line, trimmed
  std::optional<std::uint64_t> number(std::string_view below) const;  // decimal or 0x hexadecimal
  std::optional<std::int64_t> signed_number(std::string_view below) const;
  std::vector<std::string> names(std::string_view below) const;  // of a directory, sorted; empty if there is none
  std::string link_name(std::string_view below) const;           // last component of a symbolic link's target, or ""
  std::string link_target(std::string_view below) const;         // the whole target, or ""
  bool exists(std::string_view below) const;

  // What was there but could not be read: path -> why ("Permission denied").
  const std::map<std::string, std::string>& refused() const { return refused_; }

 private:
  std::filesystem::path root_;
  mutable std::map<std::string, std::string> refused_;
};

// The kernel's list format ("0-3,8"), as in sysfs' cpulist files.
std::vector<unsigned> parse_cpu_list(std::string_view list);

// The reverse of parse_cpu_list().
std::string format_cpu_list(const std::vector<unsigned>& cpus);

}  // namespace wirespool::machine

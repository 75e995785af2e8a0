// SPDX-License-Identifier: BSD-3-Clause
#include "storage/drive_parts.hpp"

#include <cstddef>
#include <sstream>

namespace wirespool::storage {
namespace {

bool is_octal(char c) { return c >= '0' && c <= '7'; }

// proc_pid_mountinfo(5): space, tab, newline and backslash are written as a backslash and three octal digits.
std::string unescape(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
                         is_octal(text[i + 3]);
    if (!escaped) {
      plain += text[i];
      continue;
    }
    plain += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
    i += 3;
  }
  return plain;
}

}  // namespace

// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
// There may be any number of optional fields in front of the lone hyphen.
std::optional<Mount> find_mount(std::istream& mountinfo, std::uint64_t mount_id) {
  for (std::string line; std::getline(mountinfo, line);) {
    std::istringstream fields(line);
    std::uint64_t id = 0;
    if (!(fields >> id) || id != mount_id) continue;
    std::string field;
    while (fields >> field && field != "-") {
    }
    Mount mount;
    if (!(fields >> mount.type >> mount.source)) return std::nullopt;
    mount.source = unescape(mount.source);
    return mount;
  }
  return std::nullopt;
}

}  // namespace wirespool::storage

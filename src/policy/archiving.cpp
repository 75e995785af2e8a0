// SPDX-License-Identifier: BSD-3-Clause
#include "policy/archiving.hpp"

#include <algorithm>

namespace wirespool::policy {
namespace {

bool waited(const DriveLook& before, const DriveLook& now) noexcept {
  return now.waits != before.waits || (before.load != 0 && now.load != 0 && now.blocks == before.blocks);
}

}  // namespace

bool Calm::look(std::span<const DriveLook> drives, std::uint64_t now_ns) {
  bool any = before_.size() != drives.size();
  for (std::size_t i = 0; !any && i < drives.size(); ++i) any = waited(before_[i], drives[i]);
  before_.assign(drives.begin(), drives.end());
  if (any) since_ns_ = now_ns;
  return now_ns - since_ns_ >= quiet_ns_;
}

std::optional<std::size_t> archive_for(std::uint64_t bytes, std::span<const std::uint64_t> free) noexcept {
  const auto found = std::ranges::find_if(
      free, [bytes](std::uint64_t room) { return room >= archive_reserve && room - archive_reserve >= bytes; });
  if (found == free.end()) return std::nullopt;
  return static_cast<std::size_t>(found - free.begin());
}

}  // namespace wirespool::policy

// SPDX-License-Identifier: BSD-3-Clause
#include "storage/drive_parts.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace wirespool::storage {
namespace {

// statx(2), linux/stat.h since Linux 6.1; older headers have neither the flag nor the two fields.
constexpr unsigned statx_dioalign = 0x2000;
constexpr std::size_t dio_mem_align_at = 0x98;
constexpr std::size_t dio_offset_align_at = 0x9c;
static_assert(sizeof(struct statx) == 256, "the size and the offsets above are kernel ABI");

std::uint32_t number_at(const struct statx& all, std::size_t offset) noexcept {
  std::uint32_t number = 0;
  std::memcpy(&number, reinterpret_cast<const char*>(&all) + offset, sizeof number);
  return number;
}

}  // namespace

std::optional<std::uint32_t> direct_alignment(int fd) noexcept {
  struct statx all {};
  if (::statx(fd, "", AT_EMPTY_PATH, statx_dioalign, &all) != 0 || (all.stx_mask & statx_dioalign) == 0)
    return std::nullopt;
  const std::uint32_t offset_align = number_at(all, dio_offset_align_at);
  if (offset_align == 0) return 0;
  return std::max({512U, offset_align, number_at(all, dio_mem_align_at)});
}

}  // namespace wirespool::storage

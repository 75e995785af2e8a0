// SPDX-License-Identifier: BSD-3-Clause
#include "storage/extents.hpp"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <span>

#include "storage/file_descriptor.hpp"

namespace wirespool::storage {

namespace {

constexpr std::uint32_t most_at_once = 128;

// The kernel's struct ends in an array of unknown length.
struct Request {
  alignas(fiemap) std::array<std::byte, sizeof(fiemap) + most_at_once * sizeof(fiemap_extent)> memory{};

  fiemap& head() { return *reinterpret_cast<fiemap*>(memory.data()); }
  std::span<const fiemap_extent> extents() {
    return {reinterpret_cast<const fiemap_extent*>(memory.data() + sizeof(fiemap)), head().fm_mapped_extents};
  }
};

// Appends it, or lengthens the part it continues.
void add(std::vector<Extent>& parts, Extent part) {
  if (part.begin >= part.end) return;
  if (!parts.empty() && parts.back().end == part.begin) {
    parts.back().end = part.end;
  } else {
    parts.push_back(part);
  }
}

}  // namespace

// Documentation/filesystems/fiemap.rst of the kernel.
std::optional<std::vector<Extent>> written_extents(int fd, std::uint64_t size) {
  std::vector<Extent> parts;
  for (std::uint64_t at = 0; at < size;) {
    Request request;
    request.head().fm_start = at;
    request.head().fm_length = size - at;
    request.head().fm_flags = FIEMAP_FLAG_SYNC;  // data that is only in memory has no place on the drive yet
    request.head().fm_extent_count = most_at_once;
    if (::ioctl(fd, FS_IOC_FIEMAP, &request.head()) != 0) return std::nullopt;
    const auto extents = request.extents();
    if (extents.empty()) break;
    for (const auto& extent : extents) {
      const std::uint64_t begin = extent.fe_logical;
      if ((extent.fe_flags & FIEMAP_EXTENT_UNWRITTEN) == 0)
        add(parts, {begin, std::min<std::uint64_t>(size, begin + extent.fe_length)});
    }
    at = std::max<std::uint64_t>(at + 1, extents.back().fe_logical + extents.back().fe_length);
    if ((extents.back().fe_flags & FIEMAP_EXTENT_LAST) != 0) break;
  }
  return parts;
}

bool knows_holes(const Directory& directory) noexcept {
  constexpr off_t some_pages = 1 << 20;
  const FileDescriptor fd(::openat(directory.fd(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd || ::ftruncate(fd.get(), some_pages) != 0) return false;
  return ::lseek(fd.get(), 0, SEEK_DATA) < 0 && errno == ENXIO;
}

}  // namespace wirespool::storage

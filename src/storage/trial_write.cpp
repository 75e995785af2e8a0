// SPDX-License-Identifier: BSD-3-Clause
#include "storage/drive_parts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "storage/drive.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {
namespace {

bool has_no_nameless_files(int code) noexcept { return code == EOPNOTSUPP || code == EISDIR || code == ENOSYS; }

// A file that is gone when it is closed: O_TMPFILE (open(2)), else a hidden name removed at once. -1: see errno.
int open_nameless(int directory, int extra_flags) noexcept {
  const int nameless = ::openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC | extra_flags, 0600);
  if (nameless >= 0 || !has_no_nameless_files(errno)) return nameless;
  std::array<char, 48> name{};
  std::snprintf(name.data(), name.size(), ".wirespool-trial.%d", static_cast<int>(::getpid()));
  ::unlinkat(directory, name.data(), 0);  // left by a crash
  const int named = ::openat(directory, name.data(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | extra_flags, 0600);
  const int code = errno;
  ::unlinkat(directory, name.data(), 0);  // also after EINVAL: open(2) may make the file before refusing O_DIRECT
  errno = code;
  return named;
}

// 0 or an errno.
int write_block(int fd, std::uint32_t bytes) {
  const std::uint32_t alignment = std::max<std::uint32_t>(bytes, 4096);
  const std::unique_ptr<void, decltype(&std::free)> block(std::aligned_alloc(alignment, alignment), &std::free);
  if (!block) return ENOMEM;
  std::memset(block.get(), 0, alignment);
  ssize_t written = 0;
  do {
    written = ::pwrite(fd, block.get(), bytes, 0);
  } while (written < 0 && errno == EINTR);
  if (written < 0) return errno;
  return static_cast<std::uint32_t>(written) == bytes ? 0 : ENOSPC;
}

bool takes_preallocation(int fd) noexcept { return ::fallocate(fd, 0, 0, 4096) == 0; }

std::expected<TrialResult, IoError> try_buffered(const Directory& directory, std::uint32_t block_bytes) {
  const FileDescriptor file(open_nameless(directory.fd(), 0));
  if (!file) return refused("writing into", directory.path(), "open");
  if (const int code = write_block(file.get(), block_bytes); code != 0)
    return refused("writing into", directory.path(), "pwrite", code);
  return TrialResult{false, takes_preallocation(file.get()), block_bytes};
}

}  // namespace

std::expected<TrialResult, IoError> try_writing(const Directory& directory, std::uint32_t likely_block_bytes) {
  const FileDescriptor file(open_nameless(directory.fd(), O_DIRECT));
  if (!file && errno == EINVAL) return try_buffered(directory, likely_block_bytes);
  if (!file) return refused("writing into", directory.path(), "open");
  const std::uint32_t first = direct_alignment(file.get()).value_or(likely_block_bytes);
  if (first == 0) return try_buffered(directory, likely_block_bytes);
  for (const std::uint32_t bytes : {first, std::max(first, 4096U)}) {
    const int code = write_block(file.get(), bytes);
    if (code == 0) return TrialResult{true, takes_preallocation(file.get()), bytes};
    if (code != EINVAL) return refused("writing into", directory.path(), "pwrite with O_DIRECT", code);
  }
  return try_buffered(directory, likely_block_bytes);
}

std::expected<void, IoError> prove_writing(const Directory& directory, std::uint32_t block_bytes, bool direct_io) {
  const FileDescriptor file(open_nameless(directory.fd(), direct_io ? O_DIRECT : 0));
  if (!file) return refused("trying", directory.path(), "open");
  if (const int code = write_block(file.get(), block_bytes); code != 0)
    return refused("trying", directory.path(), "pwrite", code);
  if (::fdatasync(file.get()) != 0) return refused("trying", directory.path(), "fdatasync");
  return directory.sync();
}

}  // namespace wirespool::storage

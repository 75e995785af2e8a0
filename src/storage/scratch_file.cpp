// SPDX-License-Identifier: BSD-3-Clause
#include "storage/scratch_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "storage/io_error.hpp"

namespace wirespool::storage {
namespace {

constexpr mode_t file_mode = 0600;

FileDescriptor open_and_unlink(const std::string& directory, int flags) {
  std::string name = directory + "/.wirespool-scratch-XXXXXX";
  FileDescriptor fd(::mkostemp(name.data(), O_CLOEXEC | flags));
  if (fd) ::unlink(name.c_str());
  return fd;
}

// open(2), O_TMPFILE: EOPNOTSUPP from a file system without it, EISDIR from a kernel without it.
bool has_no_nameless_files(int code) { return code == EOPNOTSUPP || code == EISDIR; }

}  // namespace

std::expected<ScratchFile, IoError> ScratchFile::create(const std::string& directory, Mode mode) {
  const int direct = mode == Mode::direct ? O_DIRECT : 0;
  FileDescriptor fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | direct, file_mode));
  if (!fd && has_no_nameless_files(errno)) fd = open_and_unlink(directory, direct);
  if (!fd) return refused("making a scratch file in", directory, direct != 0 ? "open with O_DIRECT" : "open");
  return ScratchFile(std::move(fd), directory);
}

std::expected<void, IoError> ScratchFile::preallocate(std::uint64_t bytes) {
  int result = 0;
  do {
    result = ::fallocate(fd_.get(), 0, 0, static_cast<off_t>(bytes));
  } while (result != 0 && errno == EINTR);
  if (result != 0) return refused("allocating a scratch file in", directory_, "fallocate");
  return {};
}

std::expected<void, IoError> ScratchFile::sync() {
  if (::fdatasync(fd_.get()) != 0) return refused("syncing a scratch file in", directory_, "fdatasync");
  return {};
}

}  // namespace wirespool::storage

// SPDX-License-Identifier: BSD-3-Clause
#include "storage/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "storage/refused.hpp"

namespace wirespool::storage {

std::expected<OutputFile, IoError> OutputFile::create(const std::string& path,
                                                      std::span<const FileIdentity> not_these) {
  // Not emptied before it is known to be none of those.
  FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640));
  if (!fd) return refused("writing", path, "open");
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return refused("writing", path, "fstat");
  const FileIdentity identity{static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)};
  if (std::ranges::find(not_these, identity) != not_these.end()) {
    return refused("writing", path, "it is one of the files to read", EEXIST);
  }
  if (S_ISREG(status.st_mode) && ::ftruncate(fd.get(), 0) != 0) return refused("writing", path, "ftruncate");
  return OutputFile(std::move(fd), path);
}

std::expected<OutputFile, IoError> OutputFile::standard_output() {
  FileDescriptor fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
  if (!fd) return refused("writing", "standard output", "fcntl F_DUPFD_CLOEXEC");
  return OutputFile(std::move(fd), "standard output");
}

std::expected<void, IoError> OutputFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return refused("writing", path_, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

std::expected<void, IoError> OutputFile::close() {
  const int copy = ::dup(fd_.get());
  if (copy >= 0 && ::close(copy) != 0) return refused("writing", path_, "close");
  fd_.reset();
  return {};
}

}  // namespace wirespool::storage

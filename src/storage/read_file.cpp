// SPDX-License-Identifier: BSD-3-Clause
#include "storage/read_file.hpp"
#include "storage/beneath.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "storage/extents.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {
namespace {

// read(2), NOTES: one call takes at most 0x7ffff000 bytes.
constexpr std::size_t most_at_once = 0x7ffff000;

// O_NONBLOCK so that a FIFO does not block us before we see that it is no regular file; regular files ignore it.
FileDescriptor open_for_reading(const std::string& path, int extra) noexcept {
  return FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | extra));
}

}  // namespace

std::optional<FileIdentity> identity_of(const std::string& path) noexcept {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileIdentity{static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)};
}

std::expected<ReadFile, IoError> ReadFile::open(const std::string& path, Mode mode) {
  FileDescriptor fd;
  if (mode == Mode::direct) fd = open_for_reading(path, O_DIRECT);
  const bool direct = static_cast<bool>(fd);
  if (!fd) fd = open_for_reading(path, 0);
  if (!fd) return refused("opening", path, "open");
  return take(std::move(fd), path, direct);
}

std::expected<ReadFile, IoError> ReadFile::open_in(const Directory& directory, const std::string& name) {
  FileDescriptor fd = open_beneath(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (!fd) return not_opened("opening", directory, name, "open");
  return take(std::move(fd), directory.path_of(name), false);
}

std::expected<ReadFile, IoError> ReadFile::of(int fd, const std::string& path) {
  FileDescriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return refused("opening", path, "fcntl F_DUPFD_CLOEXEC");
  return take(std::move(copy), path, false);
}

std::expected<ReadFile, IoError> ReadFile::take(FileDescriptor fd, const std::string& path, bool direct) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return refused("opening", path, "fstat");
  if (S_ISDIR(status.st_mode)) return refused("opening", path, "open", EISDIR);
  if (!S_ISREG(status.st_mode)) return refused("opening", path, "not a regular file", EINVAL);
  return ReadFile(std::move(fd), path, static_cast<std::uint64_t>(status.st_size),
                  {static_cast<std::uint64_t>(status.st_dev), static_cast<std::uint64_t>(status.st_ino)}, direct);
}

std::expected<FileTimes, IoError> ReadFile::times() const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) return refused("reading", path_, "fstat");
  const auto ns = [](const timespec& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
  };
  return FileTimes{ns(status.st_mtim), ns(status.st_ctim)};
}

std::uint64_t ReadFile::size_now() const noexcept {
  struct stat status {};
  return ::fstat(fd_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

bool ReadFile::has_no_name() const noexcept {
  struct stat status {};
  return ::fstat(fd_.get(), &status) == 0 && status.st_nlink == 0;
}

bool ReadFile::is_locked() const noexcept {
  if (::flock(fd_.get(), LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK;
  ::flock(fd_.get(), LOCK_UN);
  return false;
}

std::expected<std::size_t, IoError> ReadFile::read(std::uint64_t offset, std::span<std::byte> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const auto wanted = std::min(into.size() - done, most_at_once);
    const auto got = ::pread(fd_.get(), into.data() + done, wanted, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused("reading", path_, "pread");
    done += static_cast<std::size_t>(got);
    // A short direct read has met the end of the file; the next one would not be aligned.
    if (got == 0 || (direct_ && static_cast<std::size_t>(got) < wanted)) break;
  }
  return done;
}

std::size_t ReadFile::read_cached(std::uint64_t offset, std::span<std::byte> into) const noexcept {
  const iovec all{into.data(), std::min(into.size(), most_at_once)};
  const auto got = ::preadv2(fd_.get(), &all, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

std::expected<std::vector<Extent>, IoError> ReadFile::written_parts() const {
  if (auto known = written_extents(fd_.get(), size_)) return std::move(*known);
  std::vector<Extent> parts;
  const auto size = static_cast<off_t>(size_);
  for (off_t at = 0; at < size;) {
    const auto begin = ::lseek(fd_.get(), at, SEEK_DATA);
    if (begin < 0 && errno == ENXIO) break;  // only a hole is left
    const auto end = begin < 0 ? begin : ::lseek(fd_.get(), begin, SEEK_HOLE);
    // A file system that knows nothing of holes may refuse to say.
    if (begin < 0 || end < 0) {
      if (errno == EINVAL) return std::vector{Extent{0, size_}};
      return refused("reading", path_, "lseek SEEK_DATA");
    }
    parts.push_back({static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(std::min(end, size))});
    at = end;
  }
  return parts;
}

void ReadFile::will_need(std::uint64_t offset, std::uint64_t bytes) const noexcept {
  ::posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
}

void ReadFile::forget(std::uint64_t offset, std::uint64_t bytes) const noexcept {
  ::posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_DONTNEED);
}

std::expected<std::string, IoError> read_small_file(const std::string& path, std::uint64_t most) {
  const auto file = ReadFile::open(path);
  if (!file) return std::unexpected(file.error());
  if (file->size() > most) return refused("reading", path, "read", EFBIG);
  std::string content(file->size(), 0);
  const auto got = file->read(0, std::as_writable_bytes(std::span(content)));
  if (!got) return std::unexpected(got.error());
  content.resize(*got);
  return content;
}

}  // namespace wirespool::storage

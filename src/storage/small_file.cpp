// SPDX-License-Identifier: BSD-3-Clause
#include "storage/small_file.hpp"
#include "storage/beneath.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "storage/io_error.hpp"

namespace wirespool::storage {

namespace {

// 0, or the errno of the call that failed. write(2) may take less than asked for (a signal, a nearly full drive).
int write_all(int fd, std::span<const std::byte> content) noexcept {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written > 0) content = content.subspan(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) return errno;
    if (written == 0) return EIO;
  }
  return 0;
}

std::expected<void, IoError> write_temporary(const Directory& directory, const std::string& name,
                                             std::span<const std::byte> content) {
  ::unlinkat(directory.fd(), name.c_str(), 0);  // left by a crash
  FileDescriptor fd = open_beneath(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (!fd) return not_opened("writing", directory, name, "open");
  if (const int code = write_all(fd.get(), content); code != 0)
    return refused("writing", directory.path_of(name), "write", code);
  if (::fdatasync(fd.get()) != 0) return refused("writing", directory.path_of(name), "fdatasync");
  return {};
}

}  // namespace

std::expected<void, IoError> write_small_file(const Directory& directory, const std::string& name,
                                              std::span<const std::byte> content) {
  const std::string temporary = "." + name + ".tmp";
  auto written = write_temporary(directory, temporary, content);
  if (written && ::renameat(directory.fd(), temporary.c_str(), directory.fd(), name.c_str()) != 0)
    written = refused("writing", directory.path_of(name), "renameat");
  if (!written) {
    ::unlinkat(directory.fd(), temporary.c_str(), 0);
    return written;
  }
  return directory.sync();
}

bool put_marker(const Directory& directory, const std::string& name) noexcept {
  const FileDescriptor fd = open_beneath(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  return fd || errno == EEXIST;
}

void remove_marker(const Directory& directory, const std::string& name) noexcept {
  ::unlinkat(directory.fd(), name.c_str(), 0);
}

bool is_there(const Directory& directory, const std::string& name) noexcept {
  return ::faccessat(directory.fd(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

namespace {

// Cuts the `written` bytes of a line that did not fit off the end again, so that the log holds only whole lines.
void take_back(int fd, ssize_t written) noexcept {
  const off_t end = ::lseek(fd, 0, SEEK_CUR);
  if (end >= written && ::ftruncate(fd, end - written) != 0) return;
}

// Of a file of `size` bytes, what is after its last newline. 0 or an errno.
int cut_unfinished_line(int fd, std::uint64_t size) {
  std::array<char, 4096> piece;
  auto end = size;
  while (end > 0) {
    const auto begin = end - std::min<std::uint64_t>(end, piece.size());
    const ssize_t got = ::pread(fd, piece.data(), end - begin, static_cast<off_t>(begin));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    const auto newline = std::string_view(piece.data(), static_cast<std::size_t>(got)).rfind('\n');
    if (newline != std::string_view::npos) {
      end = begin + newline + 1;
      break;
    }
    end = begin;
  }
  return end == size || ::ftruncate(fd, static_cast<off_t>(end)) == 0 ? 0 : errno;
}

}  // namespace

std::expected<LineLog, IoError> LineLog::create(const Directory& directory, const std::string& name) {
  return open(directory, name, O_EXCL);
}

std::expected<LineLog, IoError> LineLog::resume(const Directory& directory, const std::string& name) {
  auto log = open(directory, name, O_NONBLOCK);
  if (!log) return log;
  if (const int code = cut_unfinished_line(log->fd_.get(), log->bytes()); code != 0)
    return refused("opening again", log->path_, "ftruncate", code);
  return log;
}

std::uint64_t LineLog::bytes() const noexcept {
  struct stat ours {};
  return ::fstat(fd_.get(), &ours) == 0 ? static_cast<std::uint64_t>(ours.st_size) : 0;
}

std::expected<LineLog, IoError> LineLog::open(const Directory& directory, const std::string& name, int how) {
  const int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | how;
  FileDescriptor fd = open_beneath(directory, name, flags, 0640);
  if (!fd) return not_opened("creating", directory, name, "open");
  struct stat ours {};
  if (::fstat(fd.get(), &ours) != 0) return refused("creating", directory.path_of(name), "fstat");
  if (!S_ISREG(ours.st_mode) || ours.st_nlink != 1)
    return refused("creating", directory.path_of(name), "it is no file of one name", EMLINK);
  return LineLog(std::move(fd), directory.path_of(name));
}

std::expected<void, IoError> LineLog::append(const std::string& line) {
  struct stat ours {};
  if (::fstat(fd_.get(), &ours) == 0 && ours.st_nlink == 0)
    return refused("appending to", path_, "it was removed", ENOENT);
  const std::string whole = line + '\n';
  ssize_t written = 0;
  do {
    written = ::write(fd_.get(), whole.data(), whole.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return refused("appending to", path_, "write");
  if (static_cast<std::size_t>(written) < whole.size()) {
    take_back(fd_.get(), written);
    return refused("appending to", path_, "write", ENOSPC);
  }
  return {};
}

std::expected<void, IoError> LineLog::sync() {
  if (::fdatasync(fd_.get()) != 0) return refused("syncing", path_, "fdatasync");
  return {};
}

namespace {

constexpr std::size_t copied_at_once = 256 << 10;

// From `offset` to the end. 0 or an errno.
int copy_rest(int from, std::uint64_t offset, int to) {
  std::vector<std::byte> buffer(copied_at_once);
  while (true) {
    const ssize_t got = ::pread(from, buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    if (const int code = write_all(to, std::span(buffer).first(static_cast<std::size_t>(got))); code != 0) return code;
    offset += static_cast<std::uint64_t>(got);
  }
}

}  // namespace

std::expected<std::string, IoError> LineLog::line(std::uint64_t begin, std::uint64_t end) const {
  std::string text(end - begin, '\0');
  const ssize_t got = ::pread(fd_.get(), text.data(), text.size(), static_cast<off_t>(begin));
  if (got < 0) return refused("reading", path_, "pread");
  if (static_cast<std::size_t>(got) != text.size()) return refused("reading", path_, "pread", EIO);
  return text;
}

std::expected<void, IoError> LineLog::begin_anew(const Directory& directory, const std::string& name,
                                                 const std::string& head, std::uint64_t offset) {
  const std::string temporary = "." + name + ".tmp";
  ::unlinkat(directory.fd(), temporary.c_str(), 0);  // left by a crash
  auto log = create(directory, temporary);
  if (!log) return std::unexpected(log.error());
  const std::string first = head + '\n';
  int code = write_all(log->fd_.get(), std::as_bytes(std::span(first)));
  if (code == 0) code = copy_rest(fd_.get(), offset, log->fd_.get());
  std::expected<void, IoError> done;
  if (code != 0) done = refused("shortening", path_, "write", code);
  if (done) done = log->sync();
  if (done && ::renameat(directory.fd(), temporary.c_str(), directory.fd(), name.c_str()) != 0)
    done = refused("shortening", path_, "renameat");
  if (!done) {
    ::unlinkat(directory.fd(), temporary.c_str(), 0);
    return done;
  }
  fd_ = std::move(log->fd_);
  return directory.sync();
}

}  // namespace wirespool::storage

// SPDX-License-Identifier: BSD-3-Clause
#include "storage/output_file.hpp"
#include "storage/beneath.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "storage/io_error.hpp"

namespace wirespool::storage {
namespace {

constexpr mode_t file_mode = 0640;

// Compares by name: a file that cannot be opened for reading is still the same file.
bool is_named(const struct stat& file, const std::string& name) {
  struct stat status {};
  return ::stat(name.c_str(), &status) == 0 && status.st_dev == file.st_dev && status.st_ino == file.st_ino;
}

bool is_one_of(const struct stat& file, std::span<const std::string> names) {
  return std::ranges::any_of(names, [&file](const auto& name) { return is_named(file, name); });
}

// Links of the user's own, and root's (/dev/stdout), are what the user means.
bool may_follow(const std::string& path) noexcept {
  struct stat link {};
  if (::lstat(path.c_str(), &link) != 0 || !S_ISLNK(link.st_mode)) return false;
  return link.st_uid == 0 || link.st_uid == ::geteuid();
}

// Looks up what a name leads to; false: nothing.
bool look_up(const std::string& name, struct stat& status) {
  return (name == "-" ? ::fstat(STDOUT_FILENO, &status) : ::stat(name.c_str(), &status)) == 0;
}

}  // namespace

bool same_file(const std::string& a, const std::string& b) {
  struct stat one {
  }, other{};
  return look_up(a, one) && look_up(b, other) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

std::expected<OutputFile, IoError> OutputFile::create(const std::string& path, std::span<const std::string> not_these) {
  // Emptied only after it is known to be none of those.
  const int follow = may_follow(path) ? 0 : O_NOFOLLOW;
  FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | follow, file_mode));
  if (!fd) return refused("writing", path, errno == ELOOP ? "it is a link of another user: open" : "open");
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return refused("writing", path, "fstat");
  if (is_one_of(status, not_these)) return refused("writing", path, "it is one of the files to read", EEXIST);
  if (S_ISREG(status.st_mode) && status.st_nlink > 1)
    return refused("writing", path, "it is a file that has other names too", EMLINK);
  if (S_ISREG(status.st_mode) && ::ftruncate(fd.get(), 0) != 0) return refused("writing", path, "ftruncate");
  return OutputFile(std::move(fd), path);
}

std::expected<OutputFile, IoError> OutputFile::create_hidden(const std::string& path,
                                                             std::span<const std::string> not_these) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && is_one_of(status, not_these))
    return refused("writing", path, "it is one of the files to read", EEXIST);
  const std::filesystem::path whole(path);
  auto directory = Directory::open(whole.has_parent_path() ? whole.parent_path().string() : ".");
  if (!directory) return std::unexpected(directory.error());
  const auto name = whole.filename().string(), hidden = "." + name + ".part";
  if (::unlinkat(directory->fd(), hidden.c_str(), 0) != 0 && errno != ENOENT)
    return refused("writing", path, "unlinkat of what has its hidden name");
  FileDescriptor fd = open_beneath(*directory, hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file_mode);
  if (!fd) return not_opened("writing", *directory, hidden, "open");
  OutputFile file(std::move(fd), path);
  file.directory_ = std::move(*directory);
  file.hidden_name_ = hidden;
  file.final_name_ = name;
  return file;
}

std::expected<OutputFile, IoError> OutputFile::standard_output(std::span<const std::string> not_these) {
  struct stat status {};
  if (::fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode) && is_one_of(status, not_these))
    return refused("writing", "standard output", "it is one of the files to read", EEXIST);
  FileDescriptor fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
  if (!fd) return refused("writing", "standard output", "fcntl F_DUPFD_CLOEXEC");
  return OutputFile(std::move(fd), "standard output");
}

OutputFile OutputFile::to(ByteSink sink, std::string name) {
  OutputFile file(FileDescriptor(), std::move(name));
  file.sink_ = std::move(sink);
  return file;
}

OutputFile::~OutputFile() {
  if (fd_ && directory_) ::unlinkat(directory_->fd(), hidden_name_.c_str(), 0);
}

std::expected<void, IoError> OutputFile::write(std::span<const std::byte> bytes) {
  if (sink_)
    return bytes.empty() || sink_(bytes) ? std::expected<void, IoError>() : refused("writing", path_, "write", EPIPE);
  while (!bytes.empty()) {
    const auto written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return refused("writing", path_, "write", written < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// poll(2): POLLERR is set for a file descriptor of the write end of a pipe when the read end has been closed.
bool OutputFile::reader_has_gone() const noexcept {
  if (!fd_) return false;
  pollfd end{fd_.get(), 0, 0};
  return ::poll(&end, 1, 0) > 0 && (end.revents & POLLERR) != 0;
}

// While the file is still open, so that its owner removes it if this fails.
std::expected<void, IoError> OutputFile::show() {
  if (::fdatasync(fd_.get()) != 0) return refused("writing", path_, "fdatasync");
  if (::renameat(directory_->fd(), hidden_name_.c_str(), directory_->fd(), final_name_.c_str()) != 0)
    return refused("writing", path_, "renameat");
  return {};
}

std::expected<void, IoError> OutputFile::close() {
  if (fd_ && directory_) {
    if (auto shown = show(); !shown) return shown;
  }
  const int fd = fd_.release();
  if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) return refused("writing", path_, "close");
  return {};
}

}  // namespace wirespool::storage

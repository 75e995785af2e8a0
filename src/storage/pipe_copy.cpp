// SPDX-License-Identifier: BSD-3-Clause
#include "storage/pipe_copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {
namespace {

constexpr std::size_t piece_bytes = 256 << 10;

FileDescriptor open_pipe(const std::string& path) {
  if (path == "-") return FileDescriptor(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
  return FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

// 0, or the errno of the call that failed.
int write_all(int fd, const char* bytes, std::size_t count) noexcept {
  while (count > 0) {
    const auto written = ::write(fd, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : EIO;
    bytes += written;
    count -= static_cast<std::size_t>(written);
  }
  return 0;
}

}  // namespace

bool is_pipe(const std::string& path) noexcept {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

std::expected<PipeCopy, IoError> PipeCopy::of(const std::string& pipe, const std::string& directory) {
  const auto from = open_pipe(pipe);
  if (!from) return refused("reading", pipe, "open");
  auto copy = begin(directory);
  if (!copy) return copy;
  std::vector<char> piece(piece_bytes);
  while (true) {
    const auto got = ::read(from.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused("reading", pipe, "read");
    if (got == 0) return copy;
    if (auto kept = copy->append(std::as_bytes(std::span(piece).first(static_cast<std::size_t>(got)))); !kept)
      return std::unexpected(std::move(kept.error()));
  }
}

std::expected<PipeCopy, IoError> PipeCopy::begin(const std::string& directory) {
  auto file = ScratchFile::create(directory, ScratchFile::Mode::buffered);
  if (!file) return std::unexpected(file.error());
  return PipeCopy(std::move(*file), directory);
}

std::expected<void, IoError> PipeCopy::append(std::span<const std::byte> bytes) {
  const int code = write_all(file_.fd(), reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (code != 0) return refused("keeping what comes out of a pipe in", directory_, "write", code);
  return {};
}

std::string PipeCopy::path() const { return "/proc/self/fd/" + std::to_string(file_.fd()); }

}  // namespace wirespool::storage

// SPDX-License-Identifier: BSD-3-Clause
#include "storage/drive_look.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <liburing.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace wirespool::storage {
namespace {

// Owns a file descriptor for the length of one look.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

std::uint32_t direct_alignment([[maybe_unused]] int fd) {
#ifdef STATX_DIOALIGN
  struct statx status {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 && (status.stx_mask & STATX_DIOALIGN) != 0) {
    return status.stx_dio_offset_align;
  }
#endif
  return 0;
}

// nullopt: not a file that tells (gone, not ours to read, not a regular file).
std::optional<DirectIoLook> look_at_file(int directory, const char* name) {
  struct stat status {};
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  const Descriptor file(openat(directory, name, O_RDONLY | O_DIRECT | O_NOFOLLOW | O_CLOEXEC));
  if (file) return DirectIoLook{true, direct_alignment(file.get())};
  if (errno == EINVAL) return DirectIoLook{false, 0};  // open(2): the file system does not support O_DIRECT
  return std::nullopt;
}

bool direct_write_works(int fd, std::size_t bytes) {
  alignas(4096) static const std::byte zeros[4096]{};
  return pwrite(fd, zeros, bytes, 0) == static_cast<ssize_t>(bytes);
}

// A file that has no name, or loses it at once.
int open_nameless(const std::string& directory, int flags) {
  const int fd = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | flags, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
  std::string name = directory + "/.wirespool-trial-XXXXXX";
  const int named = mkostemp(name.data(), O_CLOEXEC | flags);
  if (named >= 0) unlink(name.c_str());
  return named;
}

}  // namespace

std::optional<DirectIoLook> look_for_direct_io(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> entries(opendir(directory.c_str()));
  if (!entries) return std::nullopt;
  constexpr int enough = 256;  // a spool may hold very many files; any one of them will do
  for (int seen = 0; seen < enough; ++seen) {
    const auto* entry = readdir(entries.get());
    if (entry == nullptr) return std::nullopt;
    if (auto look = look_at_file(dirfd(entries.get()), entry->d_name)) return look;
  }
  return std::nullopt;
}

std::expected<WriteTrial, IoError> try_direct_io(const std::string& directory) {
  WriteTrial trial;
  const Descriptor plain(open_nameless(directory, 0));
  if (!plain) return std::unexpected(last_error("trial write in " + directory));
  trial.preallocation = fallocate(plain.get(), 0, 0, 1 << 20) == 0;
  const Descriptor direct(open_nameless(directory, O_DIRECT));
  if (!direct) return trial;  // EINVAL: no O_DIRECT here
  for (const std::uint32_t bytes : {512u, 4096u}) {
    if (!direct_write_works(direct.get(), bytes)) continue;
    trial.direct_io = true;
    trial.block_bytes = bytes;
    break;
  }
  return trial;
}

std::optional<IoError> io_uring_refusal() {
  io_uring ring{};
  const int result = io_uring_queue_init(1, &ring, 0);
  if (result < 0) return IoError{"io_uring_setup", -result};
  io_uring_queue_exit(&ring);
  return std::nullopt;
}

}  // namespace wirespool::storage

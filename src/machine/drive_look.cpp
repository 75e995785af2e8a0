// SPDX-License-Identifier: BSD-3-Clause
#include "machine/drive_look.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <liburing.h>
#include <sys/stat.h>

#include <memory>

#include "storage/drive.hpp"
#include "storage/drive_parts.hpp"
#include "storage/file_descriptor.hpp"

namespace wirespool::machine {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// nullopt: not a file that says it (gone, not ours to read, not a regular file).
std::optional<DirectIoLook> look_at_file(int directory, const char* name) {
  struct stat status {};
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  const storage::FileDescriptor file(openat(directory, name, O_RDONLY | O_DIRECT | O_NOFOLLOW | O_CLOEXEC));
  if (file) {
    const auto told = storage::direct_alignment(file.get());
    return DirectIoLook{told != 0U, told.value_or(0)};
  }
  if (errno == EINVAL) return DirectIoLook{false, 0};  // open(2): the file system does not support O_DIRECT
  return std::nullopt;
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

std::expected<WriteTrial, storage::IoError> try_direct_io(const std::string& directory) {
  const auto drive = storage::inspect_drive(directory);
  if (!drive) return std::unexpected(drive.error());
  return WriteTrial{drive->direct_io, drive->direct_io ? drive->block_bytes : 0, drive->preallocation};
}

std::optional<storage::IoError> io_uring_refusal() {
  io_uring ring{};
  const int result = io_uring_queue_init(1, &ring, 0);
  if (result < 0) return storage::IoError{"io_uring_setup", -result};
  io_uring_queue_exit(&ring);
  return std::nullopt;
}

}  // namespace wirespool::machine

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/directory.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// Which file it is, whatever its names are (stat(2)).
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};
// What is there under this name by now, file or directory, links followed; nullopt: nothing, or it cannot be asked.
std::optional<FileIdentity> identity_of(const std::string& path) noexcept;

// When a file was changed, in nanoseconds since 1970 (modulo 2^64).
struct FileTimes {
  std::uint64_t modified_ns = 0;  // its content; can be set (utimensat(2)), and is by copies that keep times
  std::uint64_t changed_ns = 0;   // content, name, owner or mode; cannot be set
};

// Bytes [begin, end) of a file.
struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const Extent&) const = default;
};

// A regular file read at given offsets. Movable, owns its descriptor. Nothing is mapped into memory, so a file that is
// cut while it is read gives a short read and not a SIGBUS.
class ReadFile {
 public:
  enum class Mode { cached, direct };  // direct: bypasses the page cache if the file system can

  static std::expected<ReadFile, IoError> open(const std::string& path, Mode mode = Mode::cached);
  // A file in a directory held open; not a symbolic link (ELOOP).
  static std::expected<ReadFile, IoError> open_in(const Directory& directory, const std::string& name);
  // A file that is already open for reading as `fd`, whatever its name is by now. `path` is for messages.
  static std::expected<ReadFile, IoError> of(int fd, const std::string& path);

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }  // when it was opened
  FileIdentity identity() const { return identity_; }
  bool direct() const { return direct_; }
  std::expected<FileTimes, IoError> times() const;  // now
  std::uint64_t size_now() const noexcept;          // 0: not to be had
  bool has_no_name() const noexcept;                // it was removed, and ends when the last who has it open closes it
  // Another process holds an exclusive flock(2) on it: who does is alive. Asking takes a shared one for an instant.
  bool is_locked() const noexcept;

  // Reads until `into` is full or the file ends; returns how many bytes. In direct mode the offset, the length and the
  // buffer are multiples of 4096.
  std::expected<std::size_t, IoError> read(std::uint64_t offset, std::span<std::byte> into) const;

  // The same, but only from the page cache: fewer bytes if the drive would have to be waited for (preadv2(2),
  // RWF_NOWAIT), none if the file system cannot tell.
  std::size_t read_cached(std::uint64_t offset, std::span<std::byte> into) const noexcept;

  // The parts between holes. Allocated parts that were never written count as holes if the file system says so, as
  // ext4, XFS and tmpfs do (written_extents(), else lseek(2) with SEEK_DATA). One part, the whole file, if it knows of
  // no holes.
  std::expected<std::vector<Extent>, IoError> written_parts() const;

  // Tells the kernel what will be read soon (posix_fadvise(2)); only a hint.
  void will_need(std::uint64_t offset, std::uint64_t bytes) const noexcept;
  // Lets it drop from the page cache what was read and will not be again; also only a hint.
  void forget(std::uint64_t offset, std::uint64_t bytes) const noexcept;

 private:
  static std::expected<ReadFile, IoError> take(FileDescriptor fd, const std::string& path, bool direct);
  ReadFile(FileDescriptor fd, std::string path, std::uint64_t size, FileIdentity identity, bool direct)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size), identity_(identity), direct_(direct) {}
  FileDescriptor fd_;
  std::string path_;
  std::uint64_t size_ = 0;
  FileIdentity identity_;
  bool direct_ = false;
};

// The whole of a small file, text as a rule, of at most `most` bytes (else EFBIG).
std::expected<std::string, IoError> read_small_file(const std::string& path, std::uint64_t most);

}  // namespace wirespool::storage

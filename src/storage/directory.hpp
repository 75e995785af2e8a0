// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// A directory held open, so that names in it can be created, renamed and synced. Movable, owns its descriptor.
class Directory {
 public:
  static std::expected<Directory, IoError> open(const std::string& path);

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  std::string path_of(const std::string& name) const { return path_ + "/" + name; }
  std::expected<void, IoError> sync() const;

  // The directory of that name in this one; made, and its name synced, if it is not there. Not a symbolic link
  // (ENOTDIR).
  std::expected<Directory, IoError> make(const std::string& name) const;

  // If the directory was removed (rmdir(2)), makes it anew under its path, and the same descriptor then refers to the
  // new one. Does nothing while it is there. EEXIST, ENOTDIR or ELOOP: something else has its path.
  std::expected<void, IoError> make_again() const;

  // Only one at a time removes, pins or moves sealed files here: takes that turn (flock(2) of the directory itself)
  // until the returned descriptor is closed. EWOULDBLOCK: another has it. `wait`: waits until that one is done.
  enum class Turn { at_once, wait };
  std::expected<FileDescriptor, IoError> take_turn(Turn turn) const;

  // Closes it, so that its file system can be unmounted; until open_again() names in it are refused with ENOTDIR.
  std::expected<void, IoError> let_go() const;

  // What its path leads to by now, under the same descriptor, if that is the same place. It is if the path leads there
  // without a symbolic link that was not there before, to the same file system; or to one that says it is another by
  // now, but has the file `witness` in this directory. ESTALE: another place. One thread at a time.
  std::expected<void, IoError> open_again(const std::string& witness) const;

 private:
  // Which file system: by its own identity (statfs(2) f_fsid: ext4's and btrfs's outlive another device number, XFS's
  // is that number), or where it has none (0: FUSE) by st_dev; and the path without links, as the kernel has it
  // (proc(5), /proc/PID/fd), empty where there is no /proc.
  struct Home {
    std::uint64_t device = 0, identity = 0;
    std::string real_path;
  };
  Directory(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)), home_(home_of(fd_)) {}
  static Home home_of(const FileDescriptor& fd);
  FileDescriptor fd_;
  std::string path_;
  Home home_;
};

}  // namespace wirespool::storage

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

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

 private:
  Directory(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  FileDescriptor fd_;
  std::string path_;
};

}  // namespace wirespool::storage

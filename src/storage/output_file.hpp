// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "storage/directory.hpp"
#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// Whether both names lead to one existing file. "-" is standard output.
bool same_file(const std::string& a, const std::string& b);

// Takes bytes, which are the caller's again afterwards. false: it takes no more.
using ByteSink = std::function<bool(std::span<const std::byte>)>;

// A tool's output, written from front to back: a file of its own, standard output, or somebody who takes bytes.
// Movable; buffers nothing.
class OutputFile {
 public:
  // Makes or empties `path`, unless it is one of `not_these` by whatever name (EEXIST): the files that are being read.
  // A symbolic link made by another user (ELOOP) and a file with other names too (EMLINK) are left alone: anyone who
  // can write into the directory may have put them there. Devices and pipes are taken as they are.
  static std::expected<OutputFile, IoError> create(const std::string& path, std::span<const std::string> not_these);

  // A file that nobody sees before it is whole: it has a hidden name, ".NAME.part", until close(), and then replaces
  // what `path` was, unless that is one of `not_these` (EEXIST) or a directory. If not closed, it is gone with its
  // owner. Anything that has the hidden name already, left by a crash or planted, is unlinked and never opened.
  static std::expected<OutputFile, IoError> create_hidden(const std::string& path,
                                                          std::span<const std::string> not_these);

  static std::expected<OutputFile, IoError> standard_output(std::span<const std::string> not_these = {});

  // `name`: for messages. What it takes no more is EPIPE.
  static OutputFile to(ByteSink sink, std::string name);

  OutputFile(OutputFile&&) noexcept = default;
  OutputFile& operator=(OutputFile&&) noexcept = delete;
  ~OutputFile();

  // EPIPE: nobody reads the other end any more (pipe(7)); SIGPIPE must be ignored, else it ends the process.
  std::expected<void, IoError> write(std::span<const std::byte> bytes);

  // Of a pipe: nobody reads it any more, even if nothing is written. false: it cannot be told.
  bool reader_has_gone() const noexcept;

  // Whether all of it was taken; a full drive may say so only now (close(2)). A hidden file is synced first.
  std::expected<void, IoError> close();

 private:
  OutputFile(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  std::expected<void, IoError> show();

  FileDescriptor fd_;
  std::string path_;
  ByteSink sink_;                         // instead of a descriptor
  std::optional<Directory> directory_;    // of a hidden file
  std::string hidden_name_, final_name_;  // the same
};

}  // namespace wirespool::storage

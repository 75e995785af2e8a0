// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "storage/direct_file.hpp"
#include "storage/directory.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// A file that a tool makes beside those of a capture, hidden until it is whole: kept, or gone with its owner. It is
// always a new file: anything that has its hidden name already, left by a crash or planted, is unlinked and never
// opened. Movable.
class SideFile {
 public:
  static std::expected<SideFile, IoError> create(const Directory& directory, std::string hidden_name);
  SideFile(SideFile&&) noexcept = default;
  SideFile& operator=(SideFile&&) noexcept = delete;
  ~SideFile();

  std::expected<void, IoError> write(std::uint64_t offset, std::span<const std::byte> bytes);

  std::expected<void, IoError> sync() { return file_.sync(); }
  // The same, and leaves nothing of it in the page cache (posix_fadvise(2), a hint).
  std::expected<void, IoError> sync_and_forget();

  // Syncs it and gives it its final name. EEXIST if another file has that name; if that one has the same content, it is
  // as good, and this one is removed.
  std::expected<void, IoError> keep(std::uint64_t length, const std::string& final_name);
  // As if keep() had not been called: removes the file, unless another one was there already.
  void take_back() noexcept;

 private:
  SideFile(const Directory& directory, DirectFile file) : directory_(&directory), file_(std::move(file)) {}

  const Directory* directory_;
  DirectFile file_;
  std::string kept_as_;  // by this object
};

}  // namespace wirespool::storage

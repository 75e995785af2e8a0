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
#include "storage/io_error.hpp"
#include "storage/side_file.hpp"

namespace wirespool::tools {

// The second hidden file of a repair, with the records from after a hole; made when the first of them comes.
class RescueFile {
 public:
  RescueFile(const storage::Directory& directory, std::string name) : directory_(directory), name_(std::move(name)) {}

  void begin_with(std::span<const std::byte> front) { front_.assign(front.begin(), front.end()); }  // before the first
  std::expected<void, storage::IoError> append(std::span<const std::byte> record);

  std::expected<void, storage::IoError> finish();  // all of it is on the drive; nothing to do if nothing was appended

  // Gives it its final name, unless a file with the same content already has that.
  std::expected<void, storage::IoError> seal(std::uint64_t length, const std::string& final_name);

 private:
  std::expected<void, storage::IoError> begin();
  std::expected<void, storage::IoError> flush();
  void put(std::span<const std::byte> bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }

  const storage::Directory& directory_;
  std::string name_;
  std::vector<std::byte> front_;
  std::optional<storage::SideFile> file_;
  std::uint64_t written_ = 0;
  std::vector<std::byte> buffer_;
};

}  // namespace wirespool::tools

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
#include "storage/output_file.hpp"

namespace wirespool::tools {

// The second hidden file of a repair, with the records from behind a hole; made when the first of them comes.
class RescueFile {
 public:
  RescueFile(const storage::Directory& directory, std::string name) : directory_(directory), name_(std::move(name)) {}

  std::expected<void, storage::IoError> append(std::span<const std::byte> record);

  // Under its final name, unless the same file has it already.
  std::expected<void, storage::IoError> seal(std::uint64_t length, const std::string& final_name);

 private:
  std::expected<void, storage::IoError> begin();
  std::expected<void, storage::IoError> flush();
  void put(std::span<const std::byte> bytes) { buffer_.insert(buffer_.end(), bytes.begin(), bytes.end()); }

  const storage::Directory& directory_;
  std::string name_;
  std::optional<storage::OutputFile> output_;
  std::vector<std::byte> buffer_;
};

}  // namespace wirespool::tools

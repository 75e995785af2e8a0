// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "storage/io_error.hpp"

namespace wirespool::machine {

// What `wirespool doctor` finds out about a directory that it may only read; a capture uses inspect_drive (drive.hpp).

struct DirectIoLook {
  bool direct_io = false;
  std::uint32_t block_bytes = 0;  // smallest direct write; 0: unknown (statx(2) STATX_DIOALIGN: Linux 6.1)
};

// Opens some regular file that is already in `directory` with O_RDONLY | O_DIRECT and asks for its alignment. nullopt:
// there is no such file, so nothing can be known without writing.
std::optional<DirectIoLook> look_for_direct_io(const std::string& directory);

struct WriteTrial {
  bool direct_io = false;
  std::uint32_t block_bytes = 0;  // smallest direct write; 0: none worked
  bool preallocation = false;     // fallocate(2) mode 0
};

// inspect_drive()'s trial write; leaves nothing behind.
std::expected<WriteTrial, storage::IoError> try_direct_io(const std::string& directory);

// Why this process cannot use io_uring(7): no such call, kernel.io_uring_disabled, a seccomp filter. nullopt: it can.
std::optional<storage::IoError> io_uring_refusal();

}  // namespace wirespool::machine

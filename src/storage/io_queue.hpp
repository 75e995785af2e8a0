// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

#include "policy/patience.hpp"
#include "storage/io_error.hpp"

namespace wirespool::storage {

// One write: `bytes` from `data` to `offset` of `fd`. For O_DIRECT all three are multiples of the drive's logical block
// size (open(2), "O_DIRECT"). The buffer must stay untouched in [0, bytes) until the result is reaped.
struct WriteRequest {
  int fd = -1;
  const std::byte* data = nullptr;
  std::uint32_t bytes = 0;
  std::uint64_t offset = 0;
  std::uint64_t tag = 0;  // given back in the result, not looked at
};

struct WriteResult {
  std::uint64_t tag = 0;
  std::int32_t result =
      0;  // bytes written (may be fewer than asked for), or -errno; -EAGAIN, -EINTR: nothing was written, try again
};

// Writes on their way to drives. Made anywhere, then used by one writer lcore only; results come back in any order.
// Everything in flight is reaped before the thread that submitted it ends; a queue destroyed earlier waits for the
// drives, so that no buffer is still being read when its owner frees it.
class IoQueue {
 public:
  virtual ~IoQueue() = default;

  // Starts a write. false: no room now (reap first); nothing was taken.
  virtual bool submit(const WriteRequest& request) noexcept = 0;

  // Takes finished writes, oldest completion first; returns how many. Never blocks, never allocates.
  virtual std::size_t reap(std::span<WriteResult> results) noexcept = 0;

  // What the queue has to do without, as a line for people; empty: nothing. Control path.
  virtual std::string notice() const { return {}; }
};

struct IoQueueOptions {
  unsigned entries = 256;                // most writes in flight at once
  std::span<std::byte> registered = {};  // memory all buffers lie in; registered with the kernel once if not empty
  int worker_cpu = -1;                   // the CPU for the kernel's io_uring workers; -1: any
  std::uint64_t patience_ns = policy::usual_patience_ns;  // how long the kernel may refuse the ring's writes (EAGAIN)
                                                          // before the ring is given up
};

// io_uring(7). Fails where the kernel has none or forbids it (seccomp, io_uring_disabled).
std::expected<std::unique_ptr<IoQueue>, IoError> make_uring_queue(const IoQueueOptions& options);

// pwrite(2) in submit(); the result waits for reap(). Its depth is always one.
std::unique_ptr<IoQueue> make_pwrite_queue(const IoQueueOptions& options);

}  // namespace wirespool::storage

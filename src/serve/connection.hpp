// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include "storage/file_descriptor.hpp"

namespace wirespool::serve {

using Clock = std::chrono::steady_clock;

// A client's socket, read and written until a moment and not one longer, whatever the client does: HTTP libraries bound
// each read and write, which a client that sends a byte at a time never reaches. One thread.
class Connection {
 public:
  // `socket`: non-blocking. `stop`: readable when all is to end; outlives this. What comes beyond `request_bytes` or
  // after `request_end` is not read, and nothing is written after `end`.
  Connection(storage::FileDescriptor socket, int stop, std::size_t request_bytes, Clock::time_point request_end,
             Clock::time_point end)
      : socket_(std::move(socket)), stop_(stop), left_(request_bytes), request_end_(request_end), end_(end) {}

  bool readable() const noexcept;  // waits for it
  bool writable() const noexcept;

  // Bytes read, 0 at the end of what the client sends, -1 where there is none to be had.
  std::ptrdiff_t read(char* to, std::size_t size) noexcept;
  bool write_all(const char* from, std::size_t size) noexcept;

  int fd() const noexcept { return socket_.get(); }

 private:
  bool wait(short events, Clock::time_point end) const noexcept;
  std::ptrdiff_t fill() noexcept;

  storage::FileDescriptor socket_;
  int stop_;
  std::size_t left_;  // bytes that may still be read
  Clock::time_point request_end_, end_;
  std::array<char, 1024> buffer_;
  std::size_t at_ = 0, filled_ = 0;
};

}  // namespace wirespool::serve

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "storage/file_descriptor.hpp"

namespace wirespool::serve {

using Clock = std::chrono::steady_clock;

// What a client sends, and is sent. One thread.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  virtual bool readable() noexcept = 0;  // waits for it
  virtual bool writable() noexcept = 0;

  // Bytes read, 0 at the end of what the client sends, -1 where there is none to be had.
  virtual std::ptrdiff_t read(char* to, std::size_t size) noexcept = 0;
  virtual bool write_all(const char* from, std::size_t size) noexcept = 0;

  virtual int fd() const noexcept = 0;
};

// A client's socket, read and written until a moment and not one longer, whatever the client does: HTTP libraries bound
// each read and write, which a client that sends a byte at a time never reaches. One thread.
class Connection final : public ByteStream {
 public:
  // `socket`: non-blocking. `stop`: readable when all is to end; outlives this. What comes beyond `request_bytes` or
  // after `request_end` is not read, and nothing is written after `end`.
  Connection(storage::FileDescriptor socket, int stop, std::size_t request_bytes, Clock::time_point request_end,
             Clock::time_point end)
      : socket_(std::move(socket)), stop_(stop), left_(request_bytes), request_end_(request_end), end_(end) {}

  // A client that takes nothing for so long is given up before `end`.
  void give_up_after(Clock::duration patience) { patience_ = patience; }

  bool readable() noexcept override;
  bool writable() noexcept override;
  std::ptrdiff_t read(char* to, std::size_t size) noexcept override;
  bool write_all(const char* from, std::size_t size) noexcept override;
  int fd() const noexcept override { return socket_.get(); }

  std::uint64_t sent() const noexcept { return sent_; }  // bytes
  bool cut_off() const noexcept { return cut_off_; }     // something that was to be written could not be

 private:
  bool wait(short events, Clock::time_point end) const noexcept;
  std::ptrdiff_t fill() noexcept;

  storage::FileDescriptor socket_;
  int stop_;
  std::size_t left_;  // bytes that may still be read
  Clock::time_point request_end_, end_;
  Clock::duration patience_ = std::chrono::hours(24);
  std::uint64_t sent_ = 0;
  bool cut_off_ = false;
  std::array<char, 1024> buffer_;
  std::size_t at_ = 0, filled_ = 0;
};

}  // namespace wirespool::serve

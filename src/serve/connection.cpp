// SPDX-License-Identifier: BSD-3-Clause
#include "serve/connection.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace wirespool::serve {

bool Connection::readable() noexcept { return at_ < filled_ || (left_ > 0 && wait(POLLIN, request_end_)); }

bool Connection::writable() noexcept {
  if (!wait(POLLOUT, std::min(end_, Clock::now() + patience_))) cut_off_ = true;
  return !cut_off_;
}

bool Connection::wait(short events, Clock::time_point end) const noexcept {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    std::array<pollfd, 2> waits{{{socket_.get(), events, 0}, {stop_, POLLIN, 0}}};
    const int ready = left <= 0 ? 0 : ::poll(waits.data(), waits.size(), static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0 && waits[1].revents == 0;
  }
}

std::ptrdiff_t Connection::fill() noexcept {
  while (left_ > 0 && wait(POLLIN, request_end_)) {
    const auto got = ::recv(socket_.get(), buffer_.data(), std::min(left_, buffer_.size()), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    at_ = 0;
    filled_ = static_cast<std::size_t>(std::max<ssize_t>(0, got));
    left_ -= filled_;
    return got;
  }
  return -1;
}

std::ptrdiff_t Connection::read(char* to, std::size_t size) noexcept {
  if (at_ == filled_)
    if (const auto got = fill(); got <= 0) return got;
  const auto bytes = std::min(size, filled_ - at_);
  std::memcpy(to, buffer_.data() + at_, bytes);
  at_ += bytes;
  return static_cast<std::ptrdiff_t>(bytes);
}

bool Connection::write_all(const char* from, std::size_t size) noexcept {
  while (size > 0) {
    if (!writable()) return false;
    const auto sent = ::send(socket_.get(), from, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) cut_off_ = true;
    if (cut_off_) return false;
    const auto bytes = static_cast<std::size_t>(std::max<ssize_t>(0, sent));
    from += bytes;
    size -= bytes;
    sent_ += bytes;
  }
  return true;
}

}  // namespace wirespool::serve

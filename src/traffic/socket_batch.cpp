// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/socket_batch.hpp"

#include <sys/time.h>

#include <cerrno>

namespace wirespool::traffic {
namespace {

constexpr std::size_t rounded(std::size_t bytes) { return (bytes + 127) / 64 * 64; }

}  // namespace

bool may_take_later(int error) noexcept {
  return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == EINTR || error == ENOMEM;
}

OutBatch::OutBatch(const SocketManner& manner, std::uint32_t longest)
    : manner_(manner),
      stride_(rounded(longest)),
      memory_(stride_ * manner.burst),
      slots_(manner.burst),
      messages_(manner.burst),
      vectors_(manner.burst) {}

std::span<Slot> OutBatch::room(unsigned count) noexcept {
  const auto slots = std::span(slots_).first(std::min<std::size_t>(count, slots_.size()));
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = {.data = memory_.data() + i * stride_};
  return slots;
}

unsigned OutBatch::send(int fd, std::span<Slot> slots, bool addresses, int& error) noexcept {
  const int flags = MSG_NOSIGNAL | (manner_.wait ? 0 : MSG_DONTWAIT);
  const auto count = std::min(slots.size(), messages_.size());
  for (std::size_t i = 0; i < count; ++i) {
    vectors_[i] = {slots[i].data, slots[i].bytes};
    messages_[i] = {};
    messages_[i].msg_hdr.msg_iov = &vectors_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    if (!addresses) continue;
    messages_[i].msg_hdr.msg_name = slots[i].of_wire;
    messages_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
  }
  error = 0;
  unsigned sent = 0;
  while (sent < count) {
    const auto left = static_cast<unsigned>(count - sent);
    const auto done = manner_.many ? ::sendmmsg(fd, &messages_[sent], left, flags)
                                   : static_cast<int>(::sendmsg(fd, &messages_[sent].msg_hdr, flags) >= 0 ? 1 : -1);
    if (done <= 0) {
      error = errno;
      break;
    }
    sent += static_cast<unsigned>(done);
  }
  return sent;
}

InBatch::InBatch(const SocketManner& manner, std::uint32_t longest)
    : manner_(manner),
      stride_(rounded(longest + front)),
      capacity_(stride_ - front),
      memory_(stride_ * manner.burst),
      control_(control_bytes * manner.burst),
      addresses_(manner.burst),
      slots_(manner.burst),
      messages_(manner.burst),
      vectors_(manner.burst) {}

void InBatch::ready(std::size_t index) noexcept {
  vectors_[index] = {data(index), capacity_};
  auto& header = messages_[index].msg_hdr;
  header = {};
  header.msg_iov = &vectors_[index];
  header.msg_iovlen = 1;
  header.msg_name = &addresses_[index];
  header.msg_namelen = sizeof(sockaddr_storage);
  header.msg_control = control_.data() + index * control_bytes;
  header.msg_controllen = control_bytes;
}

unsigned InBatch::receive(int fd, int& error) noexcept {
  error = 0;
  if (manner_.many) {
    for (std::size_t i = 0; i < messages_.size(); ++i) ready(i);
    const int flags = manner_.wait ? MSG_WAITFORONE : MSG_DONTWAIT;
    const int count = ::recvmmsg(fd, messages_.data(), static_cast<unsigned>(messages_.size()), flags, nullptr);
    if (count < 0) error = errno;
    return count < 0 ? 0 : static_cast<unsigned>(count);
  }
  unsigned count = 0;
  while (count < messages_.size()) {
    ready(count);
    const int flags = manner_.wait && count == 0 ? 0 : MSG_DONTWAIT;
    const auto bytes = ::recvmsg(fd, &messages_[count].msg_hdr, flags);
    if (bytes < 0) {
      error = errno;
      break;
    }
    messages_[count++].msg_len = static_cast<unsigned>(bytes);
  }
  return count;
}

void set_up_socket(int fd) noexcept {
  const int bytes = 8 << 20;
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  if (::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0)
    (void)::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  const timeval longest{0, 100'000};
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  (void)::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
}

}  // namespace wirespool::traffic

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "traffic/wire.hpp"

namespace wirespool::traffic {

// How a socket application calls the kernel.
struct SocketManner {
  unsigned burst = 1;
  bool many = false;  // sendmmsg(2) and recvmmsg(2): a burst a call
  bool wait = false;  // calls block, for at most 100 ms
};

// Whether the kernel may take the same packet later: full queues and buffers (send(2), packet(7)).
bool may_take_later(int error) noexcept;

// The way out of sockets: memory for a burst, and the calls. One thread.
class OutBatch {
 public:
  OutBatch(const SocketManner& manner, std::uint32_t longest);

  std::span<Slot> room(unsigned count) noexcept;

  // Returns how many were sent; `error`: the errno of the one that was not, or 0. With `addresses`, each Slot's of_wire
  // is the sockaddr_in it goes to.
  unsigned send(int fd, std::span<Slot> slots, bool addresses, int& error) noexcept;

 private:
  SocketManner manner_;
  std::size_t stride_;
  std::vector<std::byte> memory_;
  std::vector<Slot> slots_;
  std::vector<mmsghdr> messages_;
  std::vector<iovec> vectors_;
};

// The way in: likewise. Each packet has room in front of it for a VLAN tag, its sender's address and control data
// beside it.
class InBatch {
 public:
  static constexpr std::size_t front = 4, control_bytes = 64;

  InBatch(const SocketManner& manner, std::uint32_t longest);

  // Receives at most a burst; returns how many, `error`: an errno, or 0 if there is nothing more now.
  unsigned receive(int fd, int& error) noexcept;

  const msghdr& message(std::size_t index) const noexcept { return messages_[index].msg_hdr; }
  std::uint32_t bytes(std::size_t index) const noexcept { return messages_[index].msg_len; }
  std::byte* data(std::size_t index) noexcept { return memory_.data() + index * stride_ + front; }
  sockaddr_storage& address(std::size_t index) noexcept { return addresses_[index]; }
  std::span<Slot> slots(std::size_t count) noexcept { return std::span(slots_).first(count); }

 private:
  void ready(std::size_t index) noexcept;

  SocketManner manner_;
  std::size_t stride_, capacity_;
  std::vector<std::byte> memory_, control_;
  std::vector<sockaddr_storage> addresses_;
  std::vector<Slot> slots_;
  std::vector<mmsghdr> messages_;
  std::vector<iovec> vectors_;
};

// Asks for buffers of 8 MiB each way, beyond the machine's limit if this process may (socket(7), SO_RCVBUFFORCE), and
// that blocking calls end after 100 ms.
void set_up_socket(int fd) noexcept;

}  // namespace wirespool::traffic

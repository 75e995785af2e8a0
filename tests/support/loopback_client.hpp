// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "storage/file_descriptor.hpp"

namespace wirespool::test {

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// One that the kernel has just had free.
inline std::uint16_t free_port() {
  const storage::FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(0);
  socklen_t length = sizeof address;
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
    throw std::runtime_error("no TCP port of the loopback is free");
  return ntohs(address.sin_port);
}

// A TCP client of the loopback, which need not say what anybody expects.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto address = loopback(port);
    connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  bool connected() const { return connected_; }
  bool say(const std::string& text) const {
    return ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // All that comes until the other end closes; a minute at most.
  std::string hear() const {
    std::string heard;
    char bytes[4096];
    pollfd input{socket_.get(), POLLIN, 0};
    while (::poll(&input, 1, 60'000) > 0) {
      const auto got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
      if (got <= 0) return heard;
      heard.append(bytes, static_cast<std::size_t>(got));
    }
    return heard + "(still open)";
  }

 private:
  storage::FileDescriptor socket_;
  bool connected_ = false;
};

// One request, and all of the answer.
inline std::string get(std::uint16_t port, const std::string& path, const std::string& headers = "",
                       const std::string& method = "GET") {
  const Client client(port);
  client.say(method + " " + path + " HTTP/1.1\r\n" + (headers.starts_with("Host:") ? "" : "Host: probe\r\n") + headers +
             "\r\n");
  return client.hear();
}

inline bool is(const std::string& answer, const char* status) {
  return answer.starts_with(std::string("HTTP/1.1 ") + status + " ");
}

inline std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace wirespool::test

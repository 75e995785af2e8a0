// SPDX-License-Identifier: BSD-3-Clause
#include "serve/listener.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace wirespool::serve {
namespace {

constexpr int most_waiting = 16;  // connections that are not served yet

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// Of numbers alone (getaddrinfo(3)): nothing is asked of a name server.
Addresses addresses_of(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return {nullptr, ::freeaddrinfo};
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo wanted{};
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto port = text.substr(colon + 1);
  if (::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found) != 0) found = nullptr;
  return {found, ::freeaddrinfo};
}

bool is_loopback(const sockaddr& address) {
  if (address.sa_family == AF_INET)
    return ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return address.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&ipv6);
}

// With SO_REUSEADDR connections that ended a moment ago keep nobody from listening again; one who listens does
// (socket(7)).
int listen_on(const addrinfo& at, storage::FileDescriptor& socket) {
  socket.reset(::socket(at.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(socket.get(), at.ai_addr, at.ai_addrlen) != 0 || ::listen(socket.get(), most_waiting) != 0)
    return errno;
  return 0;
}

const char* what_to_do(int error) {
  switch (error) {
    case EADDRINUSE:
      return "end who listens there (ss -ltnp), or give another port";
    case EADDRNOTAVAIL:
      return "give an address that this machine has (ip address), or only :PORT for this machine alone";
    case EACCES:
      return "give a port from 1024 on, or run as a user who may";
    default:
      return "give another address";
  }
}

}  // namespace

bool is_loopback(const std::string& address) {
  const auto found = addresses_of(address);
  return found && is_loopback(*found->ai_addr);
}

std::expected<storage::FileDescriptor, Error> listen_at(const std::string& address, const std::string& option) {
  const auto found = addresses_of(address);
  storage::FileDescriptor socket;
  const int error = found ? listen_on(*found, socket) : EINVAL;
  if (error == 0) return socket;
  return std::unexpected(Error{option, fmt::format("{}: {}", address, std::generic_category().message(error)),
                               what_to_do(error), Error::Kind::not_ready});
}

std::string peer_of(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  char host[NI_MAXHOST], port[NI_MAXSERV];
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (::getpeername(socket, any, &length) != 0 ||
      ::getnameinfo(any, length, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "unknown";
  return fmt::format(fmt::runtime(address.ss_family == AF_INET6 ? "[{}]:{}" : "{}:{}"), host, port);
}

}  // namespace wirespool::serve

// SPDX-License-Identifier: BSD-3-Clause
#include "machine/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace wirespool::machine {
namespace {

// A path, or a name in the abstract namespace written with an '@' for its leading zero (sd_notify(3), unix(7)).
storage::FileDescriptor connect_to(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() < 2 || name.size() >= sizeof address.sun_path) return {};
  name.copy(address.sun_path, name.size());
  if (name.front() == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  storage::FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) return {};
  return socket;
}

std::uint64_t number_in(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr) return manager;
  manager.socket_ = connect_to(name);
  // sd_watchdog_enabled(3): meant for another process if WATCHDOG_PID names one
  const auto process = number_in("WATCHDOG_PID");
  if (process == 0 || process == static_cast<std::uint64_t>(::getpid())) {
    manager.watchdog_ns_ = number_in("WATCHDOG_USEC") * 1000;
  }
  return manager;
}

void ServiceManager::tell(std::string_view state) const noexcept {
  if (socket_) ::send(socket_.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace wirespool::machine

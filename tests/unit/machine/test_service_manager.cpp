// SPDX-License-Identifier: BSD-3-Clause
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>

#include "machine/service_manager.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool;
using machine::ServiceManager;

namespace {

// Sets variables for one test.
class Environment {
 public:
  void set(const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); }
  ~Environment() {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
};

// A service manager's end. `name` as in $NOTIFY_SOCKET.
class Listener {
 public:
  explicit Listener(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0);
  }
  std::string heard() const {
    std::string text(256, '\0');
    const auto got = ::recv(socket_.get(), text.data(), text.size(), 0);
    return got < 0 ? "nothing" : text.substr(0, static_cast<std::size_t>(got));
  }

 private:
  storage::FileDescriptor socket_;
};

}  // namespace

TEST_CASE("a program nobody manages tells nobody") {
  Environment environment;
  ::unsetenv("NOTIFY_SOCKET");
  const auto manager = ServiceManager::from_environment();
  CHECK_FALSE(manager.listens());
  CHECK(manager.watchdog_ns() == 0);
  manager.tell("READY=1");
}

TEST_CASE("each message reaches the manager as one datagram") {
  Environment environment;
  const auto name = "wirespool-notify-" + std::to_string(::getpid());
  for (const auto& socket : {"/tmp/" + name, "@" + name}) {
    const Listener listener(socket);
    environment.set("NOTIFY_SOCKET", socket);
    const auto manager = ServiceManager::from_environment();
    if (socket[0] == '/') ::unlink(socket.c_str());
    REQUIRE(manager.listens());
    manager.tell("READY=1\nSTATUS=capturing");
    manager.tell("WATCHDOG=1");
    CHECK(listener.heard() == "READY=1\nSTATUS=capturing");
    CHECK(listener.heard() == "WATCHDOG=1");
    CHECK(listener.heard() == "nothing");
  }
}

TEST_CASE("the watchdog is this process's or nobody's") {
  Environment environment;
  environment.set("NOTIFY_SOCKET", "@wirespool-nobody");
  environment.set("WATCHDOG_USEC", "30000000");
  CHECK(ServiceManager::from_environment().watchdog_ns() == 30'000'000'000);
  environment.set("WATCHDOG_PID", std::to_string(::getpid()));
  CHECK(ServiceManager::from_environment().watchdog_ns() == 30'000'000'000);
  environment.set("WATCHDOG_PID", "1");
  CHECK(ServiceManager::from_environment().watchdog_ns() == 0);
}

TEST_CASE("a manager that has gone, or a name that is none, does no harm") {
  Environment environment;
  environment.set("NOTIFY_SOCKET", "@wirespool-nobody");
  ServiceManager::from_environment().tell("READY=1");
  environment.set("NOTIFY_SOCKET", std::string(200, 'x'));
  CHECK_FALSE(ServiceManager::from_environment().listens());
}

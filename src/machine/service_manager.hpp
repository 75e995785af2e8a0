// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/file_descriptor.hpp"

namespace wirespool::machine {

// Reports this program's state to the service manager that started it: the protocol of sd_notify(3), one datagram a
// message to $NOTIFY_SOCKET. If that is not set, nothing is sent, which is no error. Control path; owns its descriptor.
class ServiceManager {
 public:
  static ServiceManager from_environment();

  bool listens() const noexcept { return static_cast<bool>(socket_); }

  // How often "WATCHDOG=1" is expected at least ($WATCHDOG_USEC, for this process); 0: not at all.
  std::uint64_t watchdog_ns() const noexcept { return watchdog_ns_; }

  // "READY=1", "WATCHDOG=1", "STOPPING=1", "STATUS=...", several separated by newlines. A manager that no longer
  // listens is no reason to stop.
  void tell(std::string_view state) const noexcept;

 private:
  storage::FileDescriptor socket_;  // connected
  std::uint64_t watchdog_ns_ = 0;
};

}  // namespace wirespool::machine

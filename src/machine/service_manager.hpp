// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/file_descriptor.hpp"

namespace wirespool::machine {

// Tells the service manager that started this program how it is: the protocol of sd_notify(3), one datagram a message
// to $NOTIFY_SOCKET. Without one, nothing is sent and nothing is wrong. Control path; owns its descriptor.
class ServiceManager {
 public:
  static ServiceManager from_environment();

  bool listens() const noexcept { return static_cast<bool>(socket_); }

  // How often "WATCHDOG=1" is expected at least ($WATCHDOG_USEC, for this process); 0: not at all.
  std::uint64_t watchdog_ns() const noexcept { return watchdog_ns_; }

  // "READY=1", "WATCHDOG=1", "STOPPING=1", "STATUS=...", several separated by newlines. A manager that does not listen
  // any more is no reason to stop.
  void tell(std::string_view state) const noexcept;

 private:
  storage::FileDescriptor socket_;  // connected
  std::uint64_t watchdog_ns_ = 0;
};

}  // namespace wirespool::machine

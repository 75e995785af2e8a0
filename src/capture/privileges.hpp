// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "machine/thread_limits.hpp"
#include "machine/user.hpp"
#include "wirespool/error.hpp"

namespace wirespool::capture {

// What --user gives up: root or whoever started the capture, all capabilities, and system calls that no capture needs
// once everything is open. Without --user all of it does nothing. Control thread.
class Privileges {
 public:
  // Made before ports are started, as it takes a while. `user` outlives it; nullptr: nobody else is to be become.
  // A kernel without seccomp, or a build without libseccomp, is told in a line of `notices`.
  Privileges(const machine::User* user, bool runs_commands, std::vector<std::string>& notices);

  // All threads become the user; those that are started from here on are.
  std::expected<void, Error> give_up(std::vector<std::string>& notices);
  // What each RX and writer lcore takes on itself before its first poll; nullptr: nothing.
  const machine::ThreadLimits* of_lcores() const { return lcores_ ? &*lcores_ : nullptr; }

 private:
  const machine::User* user_;
  std::optional<machine::ThreadLimits> process_, lcores_;
};

}  // namespace wirespool::capture

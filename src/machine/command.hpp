// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/types.h>

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/file_descriptor.hpp"
#include "storage/io_error.hpp"

namespace wirespool::machine {

struct CommandLine {
  std::string command;                 // for /bin/sh -c, the argument after it as its last word
  std::string argument;                //
  std::vector<std::string> variables;  // NAME=VALUE each, beside this program's own environment
};

// One run of a user's command, a process group of its own: a Ctrl-C at the terminal is not for it. It reads nothing,
// what it prints goes to stderr, and of our files it holds only that. Ended and reaped by the destructor.
class Command {
 public:
  static std::expected<Command, storage::IoError> start(const CommandLine& line);
  Command(Command&& other) noexcept;
  Command& operator=(Command&&) = delete;
  ~Command();

  // Why it did not succeed, empty if it did; nullopt if it still runs after this time.
  std::optional<std::string> wait(std::chrono::milliseconds time);
  void end() noexcept;  // SIGTERM to the whole group, SIGKILL two seconds later

 private:
  Command(pid_t pid, storage::FileDescriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  bool reap(int milliseconds) noexcept;

  pid_t pid_;
  storage::FileDescriptor pidfd_;
  std::optional<int> status_;  // of waitpid(2), once reaped
};

// The calling thread, and all it starts from now on, runs on these CPUs only (none named: where it may already) and
// gives way to everything else there. A kernel that does not let it is no reason to stop.
void stay_in_background(const std::vector<unsigned>& cpus) noexcept;

}  // namespace wirespool::machine

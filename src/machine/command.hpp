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
  std::string command;                 // for /bin/sh -c; the argument is appended as its last word
  std::string argument;                //
  std::vector<std::string> variables;  // NAME=VALUE each, added to this program's environment
};

// One run of a user's command, in a process group of its own: a Ctrl-C at the terminal does not reach it. Its stdin is
// empty, what it prints goes to stderr, and it inherits no other descriptor of ours. Ended and reaped by the
// destructor.
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

// The calling thread, and all it starts from now on, runs only on these CPUs (empty: where it already may) and yields
// to everything else there. If the kernel refuses, that is no reason to stop.
void stay_in_background(const std::vector<unsigned>& cpus) noexcept;

}  // namespace wirespool::machine

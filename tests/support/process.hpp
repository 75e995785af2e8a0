// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace wirespool::test {

using Command = std::vector<std::string>;
using Seconds = std::chrono::duration<double>;

struct ProcessResult {
  bool timed_out = false;  // killed after the time was up
  int exit_code = -1;      // -1 if a signal ended it
  int signal = 0;          // the signal that ended it
  std::string out, err;

  bool ok() const { return !timed_out && exit_code == 0; }
  std::string describe() const;  // for INFO()
};

// One child process, found by its PID and nothing else; killed and reaped by the destructor, and by the kernel should
// the test die. Its output goes to memory files, so that it can be looked at while it runs and no pipe fills up.
class Process {
 public:
  explicit Process(const Command& command);  // looked up in PATH; throws std::runtime_error if it cannot be started
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }
  bool running();
  std::string out() const;
  std::string err() const;
  bool wait_for_output(const std::string& text, Seconds timeout);  // in stdout or stderr; false: time is up or it ended
  void send_signal(int signal) const;

  ProcessResult wait(Seconds timeout);                                      // SIGKILL when the time is up
  ProcessResult stop(int signal = SIGTERM, Seconds timeout = Seconds(30));  // sends it, then waits

 private:
  bool reap(Seconds timeout);
  ProcessResult result(bool timed_out) const;

  pid_t pid_ = -1;
  int out_ = -1, err_ = -1, pidfd_ = -1;
  std::optional<int> status_;  // of waitpid(2), once reaped
};

ProcessResult run_process(const Command& command, Seconds timeout = Seconds(60));
bool have_program(const std::string& name);  // in PATH

}  // namespace wirespool::test

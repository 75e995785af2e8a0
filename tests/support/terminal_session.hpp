// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <string>
#include <vector>

#include "support/process.hpp"

namespace wirespool::test {

// A command whose standard streams are a terminal of its own (pty(7)), as the shell that started it would have it.
// Ended by the destructor.
class TerminalSession {
 public:
  // `environment`: "NAME=value" besides our own.
  TerminalSession(const Command& command, unsigned rows, unsigned columns,
                  const std::vector<std::string>& environment = {});
  TerminalSession(const TerminalSession&) = delete;
  TerminalSession& operator=(const TerminalSession&) = delete;
  ~TerminalSession();

  pid_t pid() const { return pid_; }
  void press(const std::string& keys) const;
  void resize(unsigned rows, unsigned columns) const;

  // All that it wrote, so far.
  const std::string& written();
  // Its last whole screen, a line each, without styles; empty if none has been drawn.
  std::vector<std::string> screen();
  // Whether some line of the screen comes to contain `text`.
  bool wait_for(const std::string& text, Seconds timeout);

  int wait(Seconds timeout);  // its exit code; -signal; -1000: it did not end
  termios modes() const;

 private:
  void read_some(int timeout_ms);
  int master_ = -1;
  pid_t pid_ = -1;
  std::string written_;
};

}  // namespace wirespool::test

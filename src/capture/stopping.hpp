// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace wirespool::capture {

// SIGINT, SIGTERM, SIGQUIT, SIGXCPU and SIGPWR ask the capture to stop, the first as well as the tenth; SIGHUP to end
// its files and go on with new ones, SIGUSR1 for a ledger line. All others that would end a process because somebody
// sent them, or because of a limit (SIGXFSZ, see write(2): EFBIG says it too), are ignored: none ends a capture with
// open files. Put back as they were by the destructor. One at a time; any thread may ask.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  std::optional<std::string> stop() const;  // the one that asked for it: "SIGINT"
  unsigned stops() const;                   // how many of those have come
  bool take_rotation();                     // SIGHUP came since this was asked last
  bool take_ledger_line();                  // so did SIGUSR1
};

// Does something that may hang (a driver, a drive) on a thread of its own. false: it was not done by `end`; it goes on,
// and whatever it uses has to stay as long as the process lives.
bool done_by(std::chrono::steady_clock::time_point end, std::function<void()> job);

}  // namespace wirespool::capture

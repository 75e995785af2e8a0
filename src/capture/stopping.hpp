// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace wirespool::capture {

// SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU and SIGPWR ask the capture to stop, the first as well as the tenth. All
// others that would end a process because somebody sent them, or because of a limit (SIGXFSZ, see write(2): EFBIG says
// it too), are ignored: none ends a capture with open files. Put back as they were by the destructor.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  std::optional<std::string> caught() const;  // "SIGINT"
  unsigned times() const;                     // how many have come
};

// Does something that may hang (a driver, a drive) on a thread of its own. false: it was not done by `end`; then it
// goes on, and whatever it uses has to stay for as long as the process does.
bool done_by(std::chrono::steady_clock::time_point end, std::function<void()> job);

}  // namespace wirespool::capture

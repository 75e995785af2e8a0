// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>

namespace wirespool::capture {

// SIGINT, SIGTERM and SIGHUP ask the capture to stop, the first as well as the tenth; SIGPIPE is ignored, so that a
// reader of the statistics that goes away does not end the capture. Put back as they were by the destructor.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  std::optional<std::string> caught() const;
  unsigned times() const;  // how many have come  // "SIGINT"
};

}  // namespace wirespool::capture

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/speaker.hpp"
#include "traffic/clock.hpp"
#include "traffic/request.hpp"
#include "traffic/wire.hpp"
#include "wirespool/error.hpp"

namespace wirespool::traffic {

// How a run ended.
struct Outcome {
  std::vector<Error> problems;       // none: as it was asked
  std::vector<std::string> notices;  // all else there is to say
};

// What carries the threads of a run: starts a job on one of them, and waits for all.
class Workers {
 public:
  virtual ~Workers() = default;
  virtual void start(std::function<void()> job) = 0;
  virtual void wait() = 0;
};

// Runs an application on its Wires (two for `forward`, one for all others) until it is done, or `stop` is set. `ends`:
// with the addresses the Wires have, which outlive the run. What there is to tell each second, and at the end, goes to
// `out`. Control thread.
Outcome run_on_wires(const Request& request, const Ends& ends, const std::vector<std::unique_ptr<Wire>>& wires,
                     Workers& workers, storage::Speaker& out, const StopFlag& stop);

// The same over sockets, from a request that has no problems.
Outcome run_over_sockets(const Request& request, storage::Speaker& out, const StopFlag& stop);

}  // namespace wirespool::traffic

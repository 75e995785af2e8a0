// SPDX-License-Identifier: BSD-3-Clause
#include "capture/done_by.hpp"

#include <future>
#include <thread>

namespace wirespool::capture {

bool done_by(std::chrono::steady_clock::time_point end, std::function<void()> job) {
  std::packaged_task<void()> task(std::move(job));
  auto done = task.get_future();
  std::thread(std::move(task)).detach();
  if (done.wait_until(end) != std::future_status::ready) return false;
  done.get();  // what it threw
  return true;
}

}  // namespace wirespool::capture

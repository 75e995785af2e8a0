// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string_view>

namespace wirespool::test {

// Which worker lcore a thread is by its name (proc_pid_comm(5)), nullopt for another thread: DPDK 22.11 calls them
// rte-worker-1, DPDK 23.07 and later dpdk-worker1.
inline std::optional<std::string_view> worker_lcore(std::string_view name) {
  for (const std::string_view start : {"rte-worker-", "dpdk-worker"})
    if (name.starts_with(start)) return name.substr(start.size());
  return std::nullopt;
}

}  // namespace wirespool::test

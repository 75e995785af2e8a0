// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_eal.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace wirespool::test {

// EAL with one lcore, 128 MiB without hugepages and no device, for tests that call DPDK themselves: started by the
// first call, as it cannot be started twice in a process. Throws if it does not start.
inline void start_bare_eal() {
  static const bool started = [] {
    static std::vector<std::string> args{"test",           "--no-huge",   "--no-pci", "-m", "128",
                                         "--no-telemetry", "--no-shconf", "-l",       "0"};
    static std::vector<char*> argv;
    for (auto& arg : args) argv.push_back(arg.data());
    return rte_eal_init(static_cast<int>(argv.size()), argv.data()) >= 0;
  }();
  if (!started) throw std::runtime_error("rte_eal_init");
}

}  // namespace wirespool::test

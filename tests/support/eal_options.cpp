// SPDX-License-Identifier: BSD-3-Clause
#include "support/eal_options.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace wirespool::test {

bool enough_hugepages(unsigned megabytes) {
  if (std::getenv("WIRESPOOL_TEST_NO_HUGE") != nullptr) return false;
  unsigned pages = 0;
  std::ifstream("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages") >> pages;
  return pages >= (megabytes + 1) / 2;
}

Command eal_options(unsigned megabytes) {
  static unsigned count = 0;
  const auto prefix = "wst" + std::to_string(getpid()) + "n" + std::to_string(count++);
  Command options = {"--no-pci", "--no-telemetry", "--file-prefix", prefix, "-m", std::to_string(megabytes)};
  options.emplace_back(enough_hugepages(megabytes) ? "--in-memory" : "--no-huge");
  return options;
}

}  // namespace wirespool::test

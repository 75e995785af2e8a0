// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "plan/capture_plan.hpp"
#include "storage/speaker.hpp"

namespace wirespool::dpdk {

// DPDK's environment, from rte_eal_init to rte_eal_cleanup. One per process.
class Eal {
 public:
  // `args` without a program name. The problem has DPDK's own word for it.
  // What DPDK has to say from now on goes to `err`, which outlives it.
  static std::expected<Eal, Error> start(const std::vector<std::string>& args, storage::Speaker& err);
  Eal(Eal&& other) noexcept;
  Eal& operator=(Eal&&) = delete;
  ~Eal();

 private:
  Eal() = default;
  bool started_ = true;
};

std::string version();  // "DPDK 22.11.11"

}  // namespace wirespool::dpdk

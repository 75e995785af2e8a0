// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "plan/capture_plan.hpp"

namespace wirespool::capture {

// DPDK's environment, from rte_eal_init to rte_eal_cleanup. One per process.
class Eal {
 public:
  // `args` without a program name. The problem has DPDK's own word for it.
  static std::expected<Eal, plan::Problem> start(const std::vector<std::string>& args);
  Eal(Eal&& other) noexcept;
  Eal& operator=(Eal&&) = delete;
  ~Eal();

 private:
  Eal() = default;
  bool started_ = true;
};

std::string dpdk_version();  // "DPDK 22.11.11"

}  // namespace wirespool::capture

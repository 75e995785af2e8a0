// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "plan/capture_plan.hpp"
#include "plan/hugepages.hpp"
#include "storage/speaker.hpp"

namespace wirespool::dpdk {

// DPDK's environment, from rte_eal_init to rte_eal_cleanup. One per process.
class Eal {
 public:
  // `args`: without a program name. The Error has DPDK's own words. What DPDK logs from now on goes to `err`, which
  // must outlive it.
  static std::expected<Eal, Error> start(const std::vector<std::string>& args, storage::Speaker& err);
  Eal(Eal&& other) noexcept;
  Eal& operator=(Eal&&) = delete;
  ~Eal();

 private:
  Eal() = default;
  bool started_ = true;
};

// What would make it abort, or say something that helps nobody. `pools`: as they are before it takes its memory.
std::vector<Error> check_args(const std::vector<std::string>& args, const std::vector<plan::HugepagePool>& pools);

std::string version();  // "DPDK 22.11.11"

// The CPUs this process may move its threads to: those that taskset(1) excluded can be had back, those that a cpuset (a
// container's, say) excludes cannot. Found by trying, on a thread of its own.
std::vector<unsigned> usable_cpus();

// The CPUs the calling thread may run on now: before EAL starts, those the user wants this program on.
std::vector<unsigned> own_cpus();

// Those of `cpus` that no lcore polls on; all of them if that leaves none.
std::vector<unsigned> spare_cpus(const plan::CapturePlan& plan, const std::vector<unsigned>& cpus);

}  // namespace wirespool::dpdk

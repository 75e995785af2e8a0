// SPDX-License-Identifier: BSD-3-Clause
#include "capture/eal.hpp"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_version.h>

#include <utility>

namespace wirespool::capture {

std::expected<Eal, std::string> Eal::start(const std::vector<std::string>& args) {
  // EAL keeps pointers into its arguments and permutes them (rte_eal_init): they live as long as the process.
  static std::vector<std::string> kept;
  static std::vector<char*> argv;
  kept = {"wirespool"};
  kept.insert(kept.end(), args.begin(), args.end());
  argv.clear();
  for (auto& arg : kept) argv.push_back(arg.data());
  argv.push_back(nullptr);
  if (rte_eal_init(static_cast<int>(kept.size()), argv.data()) < 0)
    return std::unexpected(std::string(rte_strerror(rte_errno)));
  return Eal();
}

Eal::Eal(Eal&& other) noexcept : started_(std::exchange(other.started_, false)) {}

Eal::~Eal() {
  if (started_) rte_eal_cleanup();
}

std::string dpdk_version() { return rte_version(); }

}  // namespace wirespool::capture

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "plan/capture_plan.hpp"
#include "plan/machine.hpp"

struct rte_eth_dev_info;

namespace wirespool::dpdk {

// The arguments of a virtual device without its name, empty for others.
std::string device_arguments(const rte_eth_dev_info& info);

// What EAL found, and what the output directories stand on. After Eal::start. Problems: directories that cannot be
// used.
std::expected<plan::Machine, std::vector<Error>> probe(const plan::CaptureConfig& config);

// The output directories alone: wrong ones are told before DPDK is started.
std::expected<std::vector<plan::MachineDrive>, std::vector<Error>> probe_drives(
    const std::vector<std::string>& outputs);

// Every device that -a or --vdev asked for and that did not come up: EAL starts without it. After Eal::start.
std::vector<Error> missing_devices();

}  // namespace wirespool::dpdk

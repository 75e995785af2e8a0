// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "tools/doctor_facts.hpp"

namespace wirespool::tools {

enum class Level { ok, advice, must_fix };

// One thing that stands, or does not stand, between this machine and a capture without loss.
struct Finding {
  Level level = Level::ok;
  std::string topic;    // "hugepages": for scripts, does not change
  std::string subject;  // "node 0", "0000:3b:02.0", "/data/nvme0", or ""
  std::string text;
  std::string fix;  // a command, or a line to put somewhere; "" for ok
};

// Pure: same facts, same findings.
std::vector<Finding> judge(const Facts& facts);

// Its parts, each adding to `findings`.
void judge_memory(const Facts& facts, std::vector<Finding>& findings);
void judge_processor(const Facts& facts, std::vector<Finding>& findings);
void judge_process(const Facts& facts, std::vector<Finding>& findings);
void judge_platform(const Facts& facts, std::vector<Finding>& findings);
void judge_vfio(const Facts& facts, std::vector<Finding>& findings);
void judge_ports(const Facts& facts, std::vector<Finding>& findings);
void judge_directories(const Facts& facts, std::vector<Finding>& findings);
void judge_clock(const Facts& facts, std::vector<Finding>& findings);

// What they share.
std::vector<const PciDevice*> ready_ports(const Facts& facts);  // network devices a DPDK driver can have now
std::string describe_bytes(std::uint64_t bytes);                // "2.0 GiB"

}  // namespace wirespool::tools

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "machine/facts.hpp"

namespace wirespool::doctor {

enum class Level { ok, advice, must_fix };

// One thing that was checked: whether it stands between this machine and a capture without loss.
struct Finding {
  Level level = Level::ok;
  std::string topic;    // "hugepages": for scripts, does not change
  std::string subject;  // "node 0", "0000:3b:02.0", "/data/nvme0", or ""
  std::string text;
  std::string fix;  // a command, or a line for some file; "" for ok
};

// Pure: same facts, same findings.
std::vector<Finding> judge(const machine::Facts& facts);

// Its parts, each adding to `findings`.
void judge_memory(const machine::Facts& facts, std::vector<Finding>& findings);
void judge_processor(const machine::Facts& facts, std::vector<Finding>& findings);
void judge_process(const machine::Facts& facts, std::vector<Finding>& findings);
void judge_platform(const machine::Facts& facts, std::vector<Finding>& findings);
void judge_vfio(const machine::Facts& facts, std::vector<Finding>& findings);
void judge_ports(const machine::Facts& facts, std::vector<Finding>& findings);
void judge_directories(const machine::Facts& facts, std::vector<Finding>& findings);
void judge_clock(const machine::Facts& facts, std::vector<Finding>& findings);

// What they share.
std::vector<const machine::PciDevice*> ready_ports(
    const machine::Facts& facts);                 // network devices a DPDK driver can have now
std::string describe_bytes(std::uint64_t bytes);  // "2.0 GiB"

// `wirespool doctor [DIR...]`: what stands between this machine and a capture without loss. Reads only, unless
// machine::LookOptions::try_write asks for a trial.
struct DoctorReport {
  machine::Facts facts;
  std::vector<Finding> findings;

  bool ready() const;  // nothing must be fixed
};

DoctorReport doctor(const machine::MachineTree& tree, const machine::LookOptions& options);

std::string render_table(const DoctorReport& report, unsigned columns = 100);  // for people
std::string render_json(const DoctorReport& report);                           // for scripts

}  // namespace wirespool::doctor

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "tools/doctor_facts.hpp"
#include "tools/doctor_findings.hpp"

namespace wirespool::tools {

// `wirespool doctor [DIR...]`: what stands between this machine and a capture without loss. Reads only, unless
// LookOptions::try_write asks for a trial.
struct DoctorReport {
  Facts facts;
  std::vector<Finding> findings;

  bool ready() const;  // nothing must be fixed
};

DoctorReport doctor(const MachineTree& tree, const LookOptions& options);

std::string render_table(const DoctorReport& report, unsigned columns = 100);  // for people
std::string render_json(const DoctorReport& report);                           // for scripts

}  // namespace wirespool::tools

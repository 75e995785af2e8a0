// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "doctor/findings.hpp"
#include "machine/facts.hpp"

namespace wirespool::doctor {

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

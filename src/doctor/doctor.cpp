// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/doctor.hpp"

#include <algorithm>

namespace wirespool::doctor {

bool DoctorReport::ready() const {
  return std::ranges::none_of(findings, [](const Finding& finding) { return finding.level == Level::must_fix; });
}

DoctorReport doctor(const machine::MachineTree& tree, const machine::LookOptions& options) {
  DoctorReport report{machine::look_around(tree, options), {}};
  report.findings = judge(report.facts);
  return report;
}

}  // namespace wirespool::doctor

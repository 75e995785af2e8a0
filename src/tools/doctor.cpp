// SPDX-License-Identifier: BSD-3-Clause
#include "tools/doctor.hpp"

#include <algorithm>

namespace wirespool::tools {

bool DoctorReport::ready() const {
  return std::ranges::none_of(findings, [](const Finding& finding) { return finding.level == Level::must_fix; });
}

DoctorReport doctor(const MachineTree& tree, const LookOptions& options) {
  DoctorReport report{look_around(tree, options), {}};
  report.findings = judge(report.facts);
  return report;
}

}  // namespace wirespool::tools

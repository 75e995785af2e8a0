// SPDX-License-Identifier: BSD-3-Clause
#include "doctor/doctor.hpp"

#include <fmt/format.h>

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

std::vector<Finding> judge(const machine::Facts& facts) {
  std::vector<Finding> findings;
  judge_platform(facts, findings);
  judge_process(facts, findings);
  judge_memory(facts, findings);
  judge_processor(facts, findings);
  judge_vfio(facts, findings);
  judge_ports(facts, findings);
  judge_directories(facts, findings);
  judge_clock(facts, findings);
  return findings;
}

std::string describe_bytes(std::uint64_t bytes) {
  constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(units); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace wirespool::doctor

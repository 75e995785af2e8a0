// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "doctor/doctor.hpp"

namespace wirespool::doctor {
namespace {

using Json = nlohmann::ordered_json;

const char* name_of(Level level) { return level == Level::ok ? "ok" : level == Level::advice ? "advice" : "must-fix"; }

// Words of `text` in lines of at most `width` columns.
std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines = {""};
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    const auto word = text.substr(at, end - at);
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + word;
    at = end + 1;
  }
  return lines;
}

// One finding: level, topic and subject in a column each, the text wrapped beside them, the command on a line of its
// own and unbroken, so that it can be copied.
std::string render(const Finding& finding, std::size_t subject_width, std::size_t columns) {
  const auto head =
      fmt::format("{:<8}  {:<14}  {:<{}}  ", name_of(finding.level), finding.topic, finding.subject, subject_width);
  const auto width = columns > head.size() + 20 ? columns - head.size() : 20;
  std::string text;
  for (const auto& line : wrapped(finding.text, width)) {
    text += fmt::format("{:<{}}{}\n", text.empty() ? head : "", head.size(), line);
  }
  if (!finding.fix.empty()) text += fmt::format("{:<10}-> {}\n", "", finding.fix);
  return text;
}

Json json_of(const machine::PciDevice& device) {
  Json json = {{"address", device.address},
               {"vendor", fmt::format("{:04x}", device.vendor)},
               {"device", fmt::format("{:04x}", device.device)},
               {"driver", device.driver},
               {"numa_node", device.numa_node},
               {"interfaces", device.interfaces},
               {"physical_function", device.physical_function},
               {"virtual_functions", device.virtual_functions},
               {"vfs_possible", device.vfs_possible},
               {"pcie_gbit_per_s", device.link.known() ? Json(device.link.gbit_per_s()) : Json()}};
  json["iommu_group"] = device.iommu_group ? Json(*device.iommu_group) : Json();
  return json;
}

Json json_of(const machine::DirectoryFacts& directory) {
  return {{"path", directory.path},
          {"real_path", directory.real_path},
          {"problem", directory.problem},
          {"writable", directory.writable},
          {"for_everybody", directory.for_everybody},
          {"file_system", directory.file_system},
          {"mount_point", directory.mount_point},
          {"device", directory.device_name},
          {"pci_address", directory.pci_address},
          {"numa_node", directory.numa_node},
          {"total_bytes", directory.total_bytes},
          {"free_bytes", directory.free_bytes},
          {"logical_block_bytes", directory.logical_block},
          {"physical_block_bytes", directory.physical_block},
          {"direct_io", directory.direct_io_how == machine::DirectIo::unknown ? Json() : Json(directory.direct_io)},
          {"direct_io_tried", directory.direct_io_how == machine::DirectIo::tried},
          {"preallocation", directory.preallocation}};
}

Json json_of(const machine::CpuFacts& cpu) {
  return {{"id", cpu.id},
          {"numa_node", cpu.numa_node},
          {"allowed", cpu.allowed},
          {"isolated", cpu.isolated},
          {"tickless", cpu.tickless},
          {"governor", cpu.governor},
          {"siblings", cpu.siblings}};
}

Json json_of(const machine::HugepagePool& pool) {
  return {{"numa_node", pool.numa_node},
          {"page_bytes", pool.page_bytes},
          {"pages", pool.pages},
          {"free_pages", pool.free_pages}};
}

template <class Fact>
Json list_of(const std::vector<Fact>& facts) {
  auto list = Json::array();
  for (const auto& one : facts) list.push_back(json_of(one));
  return list;
}

// As in a capture's ledger, but without the stamping clock, which depends on the port.
Json json_of(const std::optional<machine::ClockFacts>& clock) {
  if (!clock) return nullptr;
  const auto known = [&clock](std::uint64_t us) { return clock->synchronised ? Json(us * 1'000) : Json(nullptr); };
  return {{"discipline", clock->synchronised ? "kernel" : "none"},
          {"kernel_max_error_ns", known(clock->max_error_us)},
          {"kernel_estimated_error_ns", known(clock->estimated_error_us)}};
}

Json json_of(const machine::Facts& facts) {
  std::vector<machine::PciDevice> shown;
  std::ranges::copy_if(facts.devices, std::back_inserter(shown),
                       [](const machine::PciDevice& device) { return device.is_network() || device.is_nvme(); });
  Json json = {{"container", facts.platform.container},
               {"hypervisor", facts.platform.hypervisor},
               {"user", facts.process.user},
               {"iommu", facts.vfio.iommu},
               {"hugepages", list_of(facts.memory.pools)},
               {"cpus", list_of(facts.processor.cpus)},
               {"devices", list_of(shown)},
               {"directories", list_of(facts.directories)}};
  json["clock_synchronised"] = facts.clock ? Json(facts.clock->synchronised) : Json();
  json["clock"] = json_of(facts.clock);
  return json;
}

}  // namespace

std::string render_table(const DoctorReport& report, unsigned columns) {
  std::size_t subject_width = 0;
  for (const auto& finding : report.findings) subject_width = std::max(subject_width, finding.subject.size());
  subject_width = std::min<std::size_t>(subject_width, 24);
  std::string text;
  for (const auto& finding : report.findings) text += render(finding, subject_width, columns);
  for (const auto& [what, why] : report.facts.not_seen) text += fmt::format("not seen  {}: {}\n", what, why);
  const auto count = [&](Level level) { return std::ranges::count(report.findings, level, &Finding::level); };
  return text + fmt::format("\n{} ok, {} advice, {} must fix\n", count(Level::ok), count(Level::advice),
                            count(Level::must_fix));
}

std::string render_json(const DoctorReport& report) {
  auto findings = Json::array(), not_seen = Json::array();
  for (const auto& finding : report.findings) {
    findings.push_back({{"level", name_of(finding.level)},
                        {"topic", finding.topic},
                        {"subject", finding.subject},
                        {"text", finding.text},
                        {"fix", finding.fix}});
  }
  for (const auto& [what, why] : report.facts.not_seen) not_seen.push_back({{"what", what}, {"why", why}});
  const Json json = {
      {"ready", report.ready()}, {"findings", findings}, {"not_seen", not_seen}, {"facts", json_of(report.facts)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace wirespool::doctor

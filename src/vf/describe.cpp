// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "vf/vf.hpp"

namespace wirespool::vf {
namespace {

std::string describe_bind(const VfAction& action) {
  const auto directory = "/sys/bus/pci/devices/" + action.target;
  const bool no_driver = action.value.empty() || action.value == "-";
  auto text = fmt::format("echo {} > {}/driver_override\necho {} > {}/driver/unbind", no_driver ? "''" : action.value,
                          directory, action.target, directory);
  if (action.value != "-") text += fmt::format("\necho {} > /sys/bus/pci/drivers_probe", action.target);
  return text;
}

std::string describe_mirror(const VfAction& action) {
  const auto file = fmt::format("/sys/kernel/debug/i40e/{}/command", action.target);
  if (!action.value.empty()) return fmt::format("echo 'del switch {} mirror {}' > {}", action.name, action.value, file);
  return fmt::format(
      "echo 'dump switch' > {0}      # dmesg: BRIDGE is the seid of type=17\n"
      "echo 'dump vf {1}' > {0}      # dmesg: VF is its seid\n"
      "echo 'add switch {2} mirror BRIDGE VF' > {0}",
      file, action.number, action.name);
}

}  // namespace

std::string describe(const VfAction& action) {
  switch (action.kind) {
    case VfAction::Kind::write_file:
      return fmt::format("echo {} > /{}", action.value, action.target);
    case VfAction::Kind::bind:
      return describe_bind(action);
    case VfAction::Kind::set_vf:
      return fmt::format("ip link set {} vf {} {} {}", action.target, action.number, action.name, action.value);
    case VfAction::Kind::set_flag:
      return fmt::format("ethtool --set-priv-flags {} {} {}", action.target, action.name, action.value);
    case VfAction::Kind::run:
      return fmt::format("{}", fmt::join(action.command, " "));
    case VfAction::Kind::i40e_mirror:
      return describe_mirror(action);
  }
  return "";
}

}  // namespace wirespool::vf

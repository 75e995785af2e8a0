// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "machine/interface.hpp"
#include "vf/vf.hpp"

namespace wirespool::vf {
namespace {

using Json = nlohmann::ordered_json;

template <class Value>
std::vector<Value> or_none(std::expected<std::vector<Value>, storage::IoError> answer) {
  return answer ? std::move(*answer) : std::vector<Value>{};
}

PfRow describe_pf(const machine::MachineTree& tree, const machine::PciDevice& pf,
                  const std::vector<machine::PciDevice>& devices) {
  PfRow row{pf, machine::uplink_of(tree, pf), {}};
  auto parent = describe_parent(tree, devices, pf);
  std::vector<VfLink> links;
  if (tree.is_this_machine() && !parent.interface.empty()) links = or_none(read_vf_links(parent.interface));
  if (tree.is_this_machine() && !parent.flag_interface.empty())
    parent.flags = or_none(read_private_flags(parent.flag_interface));
  for (unsigned number = 0; number < pf.virtual_functions.size(); ++number) {
    const auto device = std::ranges::find(devices, pf.virtual_functions[number], &machine::PciDevice::address);
    if (device == devices.end()) continue;
    VfRow vf{*device, number, std::nullopt, ""};
    const auto link = std::ranges::find(links, number, &VfLink::number);
    if (link != links.end()) vf.link = *link;
    vf.remark = promiscuous_remark(parent, number, vf.link);
    row.vfs.push_back(std::move(vf));
  }
  return row;
}

std::string switch_text(const std::optional<bool>& is) { return is ? (*is ? "on" : "off") : "-"; }

Json json_of(const VfRow& vf) {
  Json json = {{"number", vf.number},
               {"address", vf.device.address},
               {"driver", vf.device.driver},
               {"interfaces", vf.device.interfaces}};
  json["iommu_group"] = vf.device.iommu_group ? Json(*vf.device.iommu_group) : Json();
  json["mac"] = vf.link ? Json(vf.link->mac) : Json();
  json["vlan"] = vf.link ? Json(vf.link->vlan) : Json();
  json["trust"] = vf.link && vf.link->trusted ? Json(*vf.link->trusted) : Json();
  json["spoofchk"] = vf.link && vf.link->spoof_check ? Json(*vf.link->spoof_check) : Json();
  json["link_state"] = vf.link ? Json(vf.link->link_state) : Json();
  json["remark"] = vf.remark;
  return json;
}

// For i40e and ice: what a trusted, promiscuous VF gets while the flag is off, or not visible.
std::string remark_on_flag(const Parent& parent, unsigned number) {
  const auto flag = std::ranges::find(parent.flags, "vf-true-promisc-support", &PrivateFlag::name);
  if (flag != parent.flags.end() && flag->on) return "";
  const auto remedy = fmt::format("wirespool vf trust {}:{} on", parent.interface, number);
  if (parent.driver == "i40e" && flag == parent.flags.end())
    return fmt::format(
        "trusted; whether it sees all frames is for vf-true-promisc-support to say, which only {} of the card shows, "
        "and "
        "does not here: give that one back to i40e, then {}",
        parent.flag_address, remedy);
  if (flag == parent.flags.end()) return "";
  // ice_virtchnl.c, ice_vc_cfg_promiscuous_mode_msg: it becomes the PF's default VSI.
  if (parent.driver == "ice")
    return fmt::format(
        "trusted, but {}'s vf-true-promisc-support is off: it sees what comes from the wire and no other function "
        "takes, and only one VF of the PF can: {}",
        parent.flag_interface, remedy);
  return fmt::format("trusted, but {}'s vf-true-promisc-support is off: {}", parent.flag_interface, remedy);
}

}  // namespace

std::string promiscuous_remark(const Parent& parent, unsigned number, const std::optional<VfLink>& link) {
  // igb gives a VF at most multicast promiscuous mode, trusted or not (igb_main.c, igb_set_vf_promisc).
  if (parent.driver == "igb") {
    return "sees no unicast frames but its own, whatever promiscuous mode says: capture on the PF itself, or mirror on "
           "the switch";
  }
  if (!link) return "";
  if (link->trusted && !*link->trusted)
    return fmt::format("sees its own traffic only: wirespool vf trust {}:{} on", parent.interface, number);
  if (auto remark = remark_on_flag(parent, number); !remark.empty()) return remark;
  // ixgbe lets a VF be promiscuous only while its PF is (ixgbe_sriov.c, ixgbe_update_vf_xcast_mode).
  if (parent.driver == "ixgbe")
    return fmt::format("promiscuous only while its PF is: ip link set {} promisc on", parent.interface);
  return "";
}

Parent describe_parent(const machine::MachineTree& tree, const std::vector<machine::PciDevice>& devices,
                       const machine::PciDevice& pf) {
  const auto interface = machine::uplink_of(tree, pf);
  Parent parent{pf.address, pf.driver, interface, interface, pf.address, {}};
  if (pf.driver != "i40e" || pf.address.ends_with(".0")) return parent;
  parent.flag_address = pf.address.substr(0, pf.address.rfind('.')) + ".0";
  const auto first = std::ranges::find(devices, parent.flag_address, &machine::PciDevice::address);
  parent.flag_interface = first == devices.end() ? "" : machine::uplink_of(tree, *first);
  return parent;
}

std::vector<PfRow> list_functions(const machine::MachineTree& tree) {
  std::vector<PfRow> rows;
  const auto devices = machine::list_pci_devices(tree);
  for (const auto& device : devices) {
    if (device.is_network() && device.vfs_possible > 0) rows.push_back(describe_pf(tree, device, devices));
  }
  return rows;
}

std::string render_table(const std::vector<PfRow>& rows) {
  if (rows.empty()) return "no network device here can have virtual functions\n";
  std::string text;
  for (const auto& row : rows) {
    const auto& pf = row.device;
    text += fmt::format("{}  {}  {}  {} of {} VFs\n", pf.address, row.interface.empty() ? "-" : row.interface,
                        pf.driver.empty() ? "-" : pf.driver, pf.virtual_functions.size(), pf.vfs_possible);
    for (const auto& vf : row.vfs) {
      const auto link = vf.link.value_or(VfLink{.mac = "-"});
      text += fmt::format(
          "  {:<4} {}  {:<10} group {:<4} {:<17}  vlan {:<4} trust {:<3} spoofchk {:<3} {}\n",
          fmt::format("vf{}", vf.number), vf.device.address, vf.device.driver.empty() ? "-" : vf.device.driver,
          vf.device.iommu_group ? std::to_string(*vf.device.iommu_group) : "-", link.mac, link.vlan,
          switch_text(link.trusted), switch_text(link.spoof_check), fmt::join(vf.device.interfaces, " "));
      if (!vf.remark.empty()) text += fmt::format("       {}\n", vf.remark);
    }
  }
  return text;
}

std::string render_json(const std::vector<PfRow>& rows) {
  auto list = Json::array();
  for (const auto& row : rows) {
    auto vfs = Json::array();
    for (const auto& vf : row.vfs) vfs.push_back(json_of(vf));
    list.push_back({{"address", row.device.address},
                    {"interfaces", row.device.interfaces},
                    {"driver", row.device.driver},
                    {"vfs_possible", row.device.vfs_possible},
                    {"vfs", vfs}});
  }
  return Json{{"physical_functions", list}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace wirespool::vf

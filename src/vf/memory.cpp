// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "storage/directory.hpp"
#include "storage/small_file.hpp"
#include "vf/vf.hpp"

namespace wirespool::vf {

using Kind = VfAction::Kind;

// Has to be in the type's namespace, where nlohmann/json looks for it.
NLOHMANN_JSON_SERIALIZE_ENUM(Kind, {{Kind::write_file, "write"},
                                    {Kind::bind, "bind"},
                                    {Kind::set_vf, "vf"},
                                    {Kind::set_flag, "flag"},
                                    {Kind::run, "run"},
                                    {Kind::i40e_mirror, "i40e-mirror"}})

namespace {

nlohmann::ordered_json json_of(const VfAction& action) {
  return {{"kind", action.kind},   {"about", action.about}, {"target", action.target},  {"name", action.name},
          {"value", action.value}, {"vf", action.number},   {"command", action.command}};
}

VfAction action_of(const nlohmann::json& json) {
  VfAction action;
  json.at("kind").get_to(action.kind);
  json.at("about").get_to(action.about);
  json.at("target").get_to(action.target);
  json.at("name").get_to(action.name);
  json.at("value").get_to(action.value);
  json.at("vf").get_to(action.number);
  json.at("command").get_to(action.command);
  return action;
}

// Whether both change the same setting of the same thing, to whatever value.
bool same_setting(const VfAction& one, const VfAction& other) {
  if (one.kind == Kind::run || one.kind == Kind::i40e_mirror) return false;
  const bool mirror = one.value.starts_with("rem ");  // several can be in force
  return !mirror && one.kind == other.kind && one.target == other.target && one.name == other.name &&
         one.number == other.number;
}

bool has_gone(const machine::MachineTree& tree, const VfAction& action) {
  switch (action.kind) {
    case Kind::write_file:
      return !tree.exists(action.target);
    case Kind::bind:
      return !tree.exists("sys/bus/pci/devices/" + action.target);
    case Kind::set_vf:
    case Kind::set_flag:
      return !tree.exists("sys/class/net/" + action.target);
    case Kind::i40e_mirror:  // without an id the rule was never made
      return action.value.empty() || !tree.exists("sys/bus/pci/devices/" + action.about);
    default:
      return !tree.exists("sys/bus/pci/devices/" + action.about);
  }
}

// The devices that undoing this resets, or takes away from their users.
std::set<std::string> touched(const std::vector<machine::PciDevice>& devices, const VfAction& action) {
  std::set<std::string> addresses;
  if (action.kind == Kind::bind) addresses.insert(action.target);
  const bool of_all = action.target.ends_with("/sriov_numvfs");
  const bool of_one = action.kind == Kind::set_vf && action.name != "spoofchk" && action.name != "state";
  for (const auto& device : devices) {
    if (of_all && device.physical_function == action.about) addresses.insert(device.address);
    if (of_one && device.address == action.about && action.number < device.virtual_functions.size())
      addresses.insert(device.virtual_functions[action.number]);
  }
  return addresses;
}

}  // namespace

std::expected<VfMemory, Error> VfMemory::load(std::string path) {
  VfMemory memory(std::move(path));
  std::ifstream file(memory.path_);
  if (!file) {
    std::error_code error;
    if (!std::filesystem::exists(memory.path_, error)) return memory;
    return not_ready(memory.path_, "cannot be read", "run as root");
  }
  try {
    const auto document = nlohmann::json::parse(file);
    for (const auto& entry : document.at("undo")) memory.undos_.push_back(action_of(entry));
  } catch (const nlohmann::json::exception& error) {
    return not_ready(memory.path_, error.what(), "remove it; what it remembered is then not put back");
  }
  return memory;
}

std::expected<void, Error> VfMemory::save() const {
  const std::filesystem::path path(path_);
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  auto list = nlohmann::ordered_json::array();
  for (const auto& undo : undos_) list.push_back(json_of(undo));
  const auto text = nlohmann::ordered_json{{"undo", list}}.dump(2) + "\n";
  const auto directory = storage::Directory::open(path.parent_path());
  if (!directory) return std::unexpected(storage::as_error(directory.error(), "run as root, or give --state FILE"));
  const auto written = storage::write_small_file(*directory, path.filename(), std::as_bytes(std::span(text)));
  if (!written) return std::unexpected(storage::as_error(written.error(), "run as root, or give --state FILE"));
  return {};
}

std::expected<void, Error> VfMemory::remember(const VfAction& undo) {
  if (std::ranges::any_of(undos_, [&](const VfAction& known) { return same_setting(undo, known); })) return {};
  undos_.push_back(undo);
  return save();
}

std::expected<void, Error> VfMemory::forget(const VfAction& undo) {
  const auto found = std::ranges::find(undos_, undo);
  if (found == undos_.end()) return {};
  undos_.erase(found);
  return save();
}

std::expected<void, Error> carry_out(const VfPlan& plan, VfMemory& memory, const Perform& perform) {
  for (auto step : plan.steps) {
    const auto known = memory.undos();
    const auto promised = step.undo;
    if (promised) {
      if (auto remembered = memory.remember(*promised); !remembered) return remembered;
    }
    const bool is_new = memory.undos() != known;
    const auto done = perform(step);
    const bool learnt = done && step.undo != promised;
    if (promised && is_new && (!done || learnt)) {
      if (auto forgotten = memory.forget(*promised); !forgotten) return forgotten;
    }
    if (learnt && step.undo) {
      if (auto remembered = memory.remember(*step.undo); !remembered) return remembered;
    }
    if (!done && !step.action.may_fail) return done;
  }
  return {};
}

PlannedVf plan_reset(const machine::MachineTree& tree, const VfMemory& memory, const std::string& name) {
  VfPlan plan;
  const auto devices = machine::list_pci_devices(tree);
  std::string about;
  if (!name.empty()) {
    const auto device = find_device(devices, name);
    if (!device) return std::unexpected(device.error());
    about = device->is_vf() ? device->physical_function : device->address;
  }
  for (auto undo = memory.undos().rbegin(); undo != memory.undos().rend(); ++undo) {
    if (!about.empty() && undo->about != about) continue;
    for (const auto& address : touched(devices, *undo)) {
      const auto device = std::ranges::find(devices, address, &machine::PciDevice::address);
      if (device == devices.end()) continue;
      const auto users = vfio_users(tree, *device);
      if (!users.empty())
        return not_ready(address, fmt::format("process {} has it open", fmt::join(users, ", ")), "stop that first");
    }
    plan.steps.push_back({*undo, std::nullopt});
  }
  return plan;
}

std::expected<void, Error> reset(const machine::MachineTree& tree, const VfPlan& plan, VfMemory& memory,
                                 const Perform& perform) {
  std::expected<void, Error> result;
  for (auto step : plan.steps) {
    if (!has_gone(tree, step.action)) {
      const auto done = perform(step);
      if (!done && result) result = done;
      if (!done) continue;
    }
    if (auto forgotten = memory.forget(step.action); !forgotten) return forgotten;
  }
  return result;
}

}  // namespace wirespool::vf

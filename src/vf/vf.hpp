// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "machine/machine_tree.hpp"
#include "machine/pci.hpp"
#include "storage/io_error.hpp"
#include "vf/link.hpp"
#include "wirespool/error.hpp"

namespace wirespool::vf {

// `wirespool vf ...`: SR-IOV virtual functions. Each verb is planned first, as a list of steps that can be shown
// (--dry-run) or done; what a step will change is remembered in a file before it is done, and `vf reset` puts it back.

// One change to the machine.
struct VfAction {
  enum class Kind {
    write_file,   // `value` into `target`, a path below the tree
    bind,         // device `target` to driver `value`; "" is the kernel's own choice, "-" none
    set_vf,       // setting `name` of VF `number` of interface `target` to `value`: rtnetlink(7)
    set_flag,     // private flag `name` of interface `target` to `value` "on" or "off": ethtool(8) --set-priv-flags
    run,          // `command`
    i40e_mirror,  // rule `name` ("ingress", "egress") of PF `target` to VF `number`; `value`: its id, to remove it
  };
  Kind kind = Kind::write_file;
  std::string about = {};  // the PF, or a device that is no VF: `vf reset DEVICE` selects by it
  std::string target = {}, name = {}, value = {};
  unsigned number = 0;
  std::vector<std::string> command = {};
  bool may_fail = false;  // it may already be as wanted: then there is nothing to put back
  bool operator==(const VfAction&) const = default;
};

struct VfStep {
  VfAction action;
  std::optional<VfAction> undo;
};

struct VfPlan {
  std::vector<VfStep> steps;         // empty: all is already as wanted
  std::vector<std::string> notices;  // what the user should know
};
using PlannedVf = std::expected<VfPlan, Error>;

// The equivalent shell command, or commands, one a line.
std::string describe(const VfAction& action);

// A device as people name it: "0000:3b:02.0", "3b:02.0", "ens1f0" (the device with this interface), "ens1f0:2" (its VF
// 2).
std::expected<machine::PciDevice, Error> find_device(const std::vector<machine::PciDevice>& devices,
                                                     const std::string& name);

// Processes that have the device open through vfio, by its group or by its own character device (Linux,
// Documentation/driver-api/vfio.rst, "VFIO Device cdev").
std::vector<unsigned> vfio_users(const machine::MachineTree& tree, const machine::PciDevice& device);

// The verbs, planned: pure but for looking at `tree`.
struct CreateRequest {
  std::string pf;
  unsigned count = 0;
  bool probe = true;  // false: the kernel's VF driver does not take the new VFs
};
PlannedVf plan_create(const machine::MachineTree& tree, const CreateRequest& request);

struct BindRequest {
  std::vector<std::string> devices;
  std::string driver = "vfio-pci";  // "": back to the kernel
  bool force = false;               // also a device that is in use, or that should stay with the kernel
};
PlannedVf plan_bind(const machine::MachineTree& tree, const BindRequest& request);

// A PF, whose driver decides what its VFs see.
struct Parent {
  std::string address, driver;     // "0000:3b:00.1", "i40e"
  std::string interface;           // through which its VFs are set; "" if it has none here
  std::string flag_interface;      // which shows the private flags that hold for its VFs; "" if there is none here
  std::string flag_address;        // the device of that interface
  std::vector<PrivateFlag> flags;  // of flag_interface, if they were read
};

// Everything but the flags. i40e shows the flag only on function 0 of a card, where it holds for the whole card
// (Intel's i40e driver, i40e_ethtool.c, i40e_gl_gstrings_priv_flags).
Parent describe_parent(const machine::MachineTree& tree, const std::vector<machine::PciDevice>& devices,
                       const machine::PciDevice& pf);

// `force`: also a VF that is in use, though its PF resets it for a new trust, MAC or VLAN.
struct TrustRequest {
  std::string vf;
  std::optional<bool> trust = {}, spoof_check = {};
  std::optional<std::string> mac = {}, link_state = {};
  std::optional<unsigned> vlan = {};
  bool force = false;
};
// `links`: what the PF reports of its VFs; `flags`: those of Parent::flag_interface.
PlannedVf plan_trust(const machine::MachineTree& tree, const TrustRequest& request, const std::vector<VfLink>& links,
                     const std::vector<PrivateFlag>& flags);

struct MirrorRequest {
  std::string pf;
  std::vector<unsigned> from;  // VFs; empty: all others, and the PF itself
  unsigned to = 0;             // the VF that sees them
  bool ingress = true, egress = true;
};
PlannedVf plan_mirror(const machine::MachineTree& tree, const MirrorRequest& request);

// Does one step, and completes its undo with what only became known by doing it.
std::expected<void, Error> perform(const machine::MachineTree& tree, VfStep& step);

// Whether the VF is as `action` (Kind::set_vf) set it, by what its PF reports afterwards: in its "base mode", Intel's
// i40e accepts the trust setting without applying it, and reports no error.
std::expected<void, Error> check_taken(const VfAction& action, const std::vector<VfLink>& links);

// What to do about the kernel's refusal `code` (errno(3)); depends on whether root asked.
std::string advice_on(const machine::MachineTree& tree, const VfAction& action, int code, bool as_root);

// What was changed and how to put it back, oldest first: a JSON file, by default gone with the next boot, as the VFs
// are.
class VfMemory {
 public:
  static constexpr const char* default_path = "/run/wirespool/vf.json";

  // Without a file the memory is empty.
  static std::expected<VfMemory, Error> load(std::string path);

  std::expected<void, Error> remember(const VfAction& undo);  // the first value of a setting is the one to put back
  std::expected<void, Error> forget(const VfAction& undo);
  const std::vector<VfAction>& undos() const { return undos_; }

 private:
  explicit VfMemory(std::string path) : path_(std::move(path)) {}
  std::expected<void, Error> save() const;
  std::string path_;
  std::vector<VfAction> undos_;
};

using Perform = std::function<std::expected<void, Error>(VfStep&)>;

// Remembers each step, then does it; stops at the first that fails.
std::expected<void, Error> carry_out(const VfPlan& plan, VfMemory& memory, const Perform& perform);

// What `vf reset [DEVICE]` will do, newest change first. Refused while a program has one of the devices open.
PlannedVf plan_reset(const machine::MachineTree& tree, const VfMemory& memory, const std::string& device);

// Does as much of it as possible. Changes whose device is gone are forgotten.
std::expected<void, Error> reset(const machine::MachineTree& tree, const VfPlan& plan, VfMemory& memory,
                                 const Perform& perform);

// The VFs and PFs that there are.
struct VfRow {
  machine::PciDevice device;
  unsigned number = 0;
  std::optional<VfLink> link;  // nullopt: the PF has no kernel driver, or did not say
  std::string remark;          // why it will see less than everything, and what to do
};
struct PfRow {
  machine::PciDevice device;
  std::string interface;  // its uplink
  std::vector<VfRow> vfs;
};
std::vector<PfRow> list_functions(const machine::MachineTree& tree);  // every PF that can have VFs
std::string render_table(const std::vector<PfRow>& rows);
std::string render_json(const std::vector<PfRow>& rows);

// Why a VF sees less than promiscuous mode promises, by what is known of its PF's driver; "" if nothing is known.
std::string promiscuous_remark(const Parent& parent, unsigned number, const std::optional<VfLink>& link);

// The three kinds of Error.

inline std::unexpected<Error> not_ready(std::string what, std::string why, std::string what_to_do = "") {
  return std::unexpected(Error{std::move(what), std::move(why), std::move(what_to_do), Error::Kind::not_ready});
}
inline std::unexpected<Error> wrong_use(std::string what, std::string why, std::string what_to_do = "") {
  return std::unexpected(Error{std::move(what), std::move(why), std::move(what_to_do), Error::Kind::wrong_use});
}
inline std::unexpected<Error> failed(std::string what, std::string why, std::string what_to_do = "") {
  return std::unexpected(Error{std::move(what), std::move(why), std::move(what_to_do), Error::Kind::failed});
}

}  // namespace wirespool::vf

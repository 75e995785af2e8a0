// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <system_error>

#include "storage/file_descriptor.hpp"
#include "vf/link.hpp"
#include "vf/vf.hpp"

namespace wirespool::vf {
namespace {

using storage::FileDescriptor;
using Done = std::expected<void, Error>;

std::unexpected<Error> refused(const machine::MachineTree& tree, const VfAction& action,
                               const storage::IoError& error) {
  return std::unexpected(
      storage::as_error(error, advice_on(tree, action, error.code, geteuid() == 0), Error::Kind::failed));
}

// One write(2), as sysfs wants it (Documentation/filesystems/sysfs.rst).
std::expected<void, storage::IoError> write_text(const machine::MachineTree& tree, const std::string& file,
                                                 const std::string& text) {
  const FileDescriptor fd(::open(tree.path(file).c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return std::unexpected(storage::last_error("/" + file));
  if (::write(fd.get(), text.data(), text.size()) < 0) {
    return std::unexpected(storage::last_error("writing '" + text + "' to /" + file));
  }
  return {};
}

Done bind(const machine::MachineTree& tree, const VfAction& action) {
  const auto directory = "sys/bus/pci/devices/" + action.target + "/";
  const bool no_driver = action.value.empty() || action.value == "-";
  const auto write = [&](const std::string& file, const std::string& text) -> Done {
    if (auto written = write_text(tree, file, text); !written) return refused(tree, action, written.error());
    return {};
  };
  if (auto told = write(directory + "driver_override", no_driver ? "\n" : action.value); !told) return told;
  const auto current = tree.link_name(directory + "driver");
  if (!current.empty() && current != action.value) {
    if (auto gone = write("sys/bus/pci/drivers/" + current + "/unbind", action.target); !gone) return gone;
  }
  if (action.value == "-") return {};
  if (auto probed = write("sys/bus/pci/drivers_probe", action.target); !probed) return probed;
  if (no_driver || !tree.is_this_machine() || tree.link_name(directory + "driver") == action.value) return {};
  return failed(action.target, action.value + " did not take it", "dmesg says why");
}

Done run(const VfAction& action) {
  std::vector<char*> arguments;
  auto words = action.command;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);  // no descriptor of ours or our caller's
  const int error = posix_spawnp(&child, arguments[0], &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) {
    return failed(words[0], std::generic_category().message(error), "is its package installed?");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return failed(fmt::format("'{}' failed", fmt::join(words, " ")), "");
}

std::string command_file(const VfAction& action) { return "sys/kernel/debug/i40e/" + action.target + "/command"; }

// What the kernel's log gains when the command is given (Documentation/ABI/testing/dev-kmsg: one record a read).
std::expected<std::vector<std::string>, Error> ask_i40e(const machine::MachineTree& tree, const VfAction& action,
                                                        const std::string& command) {
  const FileDescriptor log(::open(tree.path("dev/kmsg").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!log) return failed("/dev/kmsg", std::generic_category().message(errno), "run as root");
  ::lseek(log.get(), 0, SEEK_END);
  if (auto asked = write_text(tree, command_file(action), command); !asked) return refused(tree, action, asked.error());
  std::vector<std::string> lines;
  std::array<char, 8192> record{};
  for (ssize_t got = 0; (got = ::read(log.get(), record.data(), record.size())) > 0 || (got < 0 && errno == EPIPE);) {
    if (got > 0) lines.emplace_back(record.data(), static_cast<std::size_t>(got));
  }
  return lines;
}

Done remove_mirror(const machine::MachineTree& tree, const VfAction& action) {
  const auto command = fmt::format("del switch {} mirror {}", action.name, action.value);
  if (auto done = write_text(tree, command_file(action), command); !done) return refused(tree, action, done.error());
  return {};
}

Done i40e_mirror(const machine::MachineTree& tree, VfStep& step) {
  const auto& action = step.action;
  if (!action.value.empty()) return remove_mirror(tree, action);
  const auto bridges = ask_i40e(tree, action, "dump switch");
  if (!bridges) return std::unexpected(bridges.error());
  const auto vfs = ask_i40e(tree, action, fmt::format("dump vf {}", action.number));
  if (!vfs) return std::unexpected(vfs.error());
  const auto bridge = bridge_seid(*bridges), vf = vf_seid(*vfs, action.number);
  if (!bridge || !vf)
    return failed(action.target, "the driver did not name its switch in the kernel's log", "see dmesg");
  const auto added = ask_i40e(tree, action, fmt::format("add switch {} mirror {} {}", action.name, *bridge, *vf));
  if (!added) return std::unexpected(added.error());
  const auto rule = rule_id(*added);
  if (!rule) return failed(action.target, "the driver made no mirror rule", "see dmesg");
  if (step.undo) step.undo->value = fmt::format("{} {}", *bridge, *rule);
  return {};
}

Done set_vf(const machine::MachineTree& tree, const VfAction& action) {
  if (auto set = set_vf_link(action.target, action.number, action.name, action.value); !set)
    return refused(tree, action, set.error());
  const auto links = read_vf_links(action.target);
  return links ? check_taken(action, *links) : Done{};
}

std::optional<bool> switch_of(const VfLink& link, const std::string& name) {
  if (name == "trust") return link.trusted;
  return name == "spoofchk" ? link.spoof_check : std::nullopt;
}

// How far the kernel is locked down, "integrity" or "confidentiality"; "" if it is not (kernel_lockdown(7)). The file
// reads "none [integrity] confidentiality".
std::string lockdown(const machine::MachineTree& tree) {
  const auto line = tree.line("sys/kernel/security/lockdown").value_or("");
  const auto begin = line.find('['), end = line.find(']');
  if (begin == std::string::npos || end == std::string::npos) return "";
  const auto word = line.substr(begin + 1, end - begin - 1);
  return word == "none" ? "" : word;
}

}  // namespace

std::expected<void, Error> check_taken(const VfAction& action, const std::vector<VfLink>& links) {
  const auto link = std::ranges::find(links, action.number, &VfLink::number);
  if (link == links.end()) return {};
  const auto is = switch_of(*link, action.name);
  if (!is || *is == (action.value == "on")) return {};
  return failed(fmt::format("{} vf {} {} {}", action.target, action.number, action.name, action.value),
                fmt::format("its driver took it and left it {}: its firmware or mode of operation does not let VFs "
                            "have it (i40e: base mode)",
                            *is ? "on" : "off"),
                "capture on the PF itself, or mirror on the switch");
}

std::string advice_on(const machine::MachineTree& tree, const VfAction& action, int code, bool as_root) {
  const bool denied = code == EPERM || code == EACCES;
  if (denied && !as_root) return "run as root";
  if (const auto word = lockdown(tree); denied && !word.empty()) {
    return fmt::format("the kernel is locked down ({}, as Secure Boot does it): another way is needed{}", word,
                       action.kind == VfAction::Kind::i40e_mirror ? ", mirror on the switch" : "");
  }
  // ice_ethtool.c, ice_set_priv_flags
  if (action.kind == VfAction::Kind::set_flag && code == EAGAIN)
    return "a VF of it is promiscuous: stop what captures from its VFs, then try again";
  return "dmesg may say more";
}

std::expected<void, Error> perform(const machine::MachineTree& tree, VfStep& step) {
  const auto& action = step.action;
  const auto from = [&](const std::expected<void, storage::IoError>& result) -> Done {
    if (result) return {};
    return refused(tree, action, result.error());
  };
  switch (action.kind) {
    case VfAction::Kind::write_file:
      return from(write_text(tree, action.target, action.value));
    case VfAction::Kind::bind:
      return bind(tree, action);
    case VfAction::Kind::set_vf:
      return set_vf(tree, action);
    case VfAction::Kind::set_flag:
      return from(set_private_flag(action.target, action.name, action.value == "on"));
    case VfAction::Kind::run:
      return run(action);
    case VfAction::Kind::i40e_mirror:
      return i40e_mirror(tree, step);
  }
  return {};
}

}  // namespace wirespool::vf

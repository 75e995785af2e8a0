// SPDX-License-Identifier: BSD-3-Clause
#include "support/network.hpp"

#include <unistd.h>

#include <stdexcept>

namespace wirespool::test {
namespace {

// At most 15 characters (IFNAMSIZ), different for each in this process and for each process.
std::string unique_name() {
  static unsigned count = 0;
  return "wst" + std::to_string(getpid()) + "n" + std::to_string(count++);
}

void must(const Command& command) {
  const auto result = run_process(command);
  if (result.ok()) return;
  std::string line;
  for (const auto& word : command) line += word + " ";
  throw std::runtime_error(line + ": " + result.describe());
}

}  // namespace

std::string why_no_network() {
  if (geteuid() != 0) return "needs root to make network interfaces";
  if (!have_program("ip")) return "needs ip (package iproute2)";
  try {
    const VethPair trial;
  } catch (const std::runtime_error& error) {
    return std::string("this machine makes no veth interfaces: ") + error.what();
  }
  return "";
}

NetNamespace::NetNamespace() : name_(unique_name()) { must({"ip", "netns", "add", name_}); }

NetNamespace::~NetNamespace() { run_process({"ip", "netns", "delete", name_}); }

Command NetNamespace::inside(const Command& command) const {
  Command whole = {"ip", "netns", "exec", name_};
  whole.insert(whole.end(), command.begin(), command.end());
  return whole;
}

VethPair::VethPair(const NetNamespace* where, unsigned mtu)
    : where_(where), left_(unique_name() + "a"), right_(left_.substr(0, left_.size() - 1) + "b") {
  must(in_place({"ip", "link", "add", left_, "type", "veth", "peer", "name", right_}));
  try {
    for (const auto& end : {left_, right_}) {
      must(in_place({"sh", "-c", "f=/proc/sys/net/ipv6/conf/" + end + "/disable_ipv6; test ! -e $f || echo 1 > $f"}));
      must(in_place({"ip", "link", "set", end, "mtu", std::to_string(mtu), "promisc", "on", "up"}));
    }
  } catch (...) {
    run_process(in_place({"ip", "link", "delete", left_}));
    throw;
  }
}

VethPair::~VethPair() { run_process(in_place({"ip", "link", "delete", left_})); }

void VethPair::set_up(const std::string& end, bool up) const {
  must(in_place({"ip", "link", "set", end, up ? "up" : "down"}));
}

Command VethPair::in_place(const Command& command) const {
  return where_ == nullptr ? command : where_->inside(command);
}

}  // namespace wirespool::test

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "support/catch.hpp"
#include "support/network.hpp"
#include "support/process.hpp"
#include "support/skip.hpp"

namespace wirespool::test {

inline Command program(const Command& args) {
  const char* path = std::getenv("WIRESPOOL");  // Meson says where it is built
  REQUIRE(path != nullptr);
  Command command{path};
  command.insert(command.end(), args.begin(), args.end());
  return command;
}

inline Command operator+(Command command, const Command& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

// The last line of JSON lines.
inline nlohmann::json last_line(const std::string& text) {
  std::istringstream lines(text);
  std::string line, last;
  while (std::getline(lines, line)) last = line;
  CAPTURE(text);
  const auto json = nlohmann::json::parse(last, nullptr, false);
  REQUIRE(json.is_object());
  return json;
}

// Two namespaces joined by a wire, with addresses: 10.0.0.1 on `near`, 10.0.0.2 on `far`.
struct Link {
  static constexpr const char *near_mac = "02:00:00:00:00:01", *far_mac = "02:00:00:00:00:02";

  Link() {
    must({"ip", "link", "add", "near", "netns", near.name(), "type", "veth", "peer", "name", "far", "netns",
          far.name()});
    set_up(near, "near", near_mac, "10.0.0.1/24");
    set_up(far, "far", far_mac, "10.0.0.2/24");
  }

  static void must(const Command& command) {
    const auto result = run_process(command);
    INFO(result.describe());
    REQUIRE(result.ok());
  }

  // Without an address no IP stack answers to what comes.
  static void set_up(const NetNamespace& space, const char* name, const char* mac, const char* address = nullptr) {
    run_process(space.inside({"sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"}));
    must(space.inside({"ip", "link", "set", name, "address", mac, "up"}));
    if (address != nullptr) must(space.inside({"ip", "address", "add", address, "dev", name}));
    must(space.inside({"ip", "link", "set", "lo", "up"}));
  }

  NetNamespace near, far;
};

inline bool no_network(const char* what) {
  const auto why = why_no_network();
  if (!why.empty()) skip(what, why);
  return !why.empty();
}

}  // namespace wirespool::test

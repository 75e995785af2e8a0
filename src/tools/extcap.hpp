// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "machine/capture_places.hpp"

namespace wirespool::tools {

// What Wireshark is told when it asks an extcap program what it has (extcap(4)).
struct ExtcapInterface {
  std::string name;                 // of letters, digits and -_. only: names of preferences are made of it
  std::string display;              // for people
  std::vector<std::string> places;  // what it reads; empty: what --spool names
  bool running = false;             // of a running capture
};

// "wirespool", which reads what it is told to, then one for each of these.
std::vector<ExtcapInterface> extcap_interfaces(const std::vector<machine::CapturePlaces>& captures);

// Lines for --extcap-interfaces, --extcap-dlts and --extcap-config.
std::string render_extcap_version();
std::string render_extcap_interfaces(const std::vector<ExtcapInterface>& interfaces);
std::string render_extcap_dlts();
std::string render_extcap_config(const ExtcapInterface& interface);

// What is wrong with a capture filter, a line; empty: nothing.
std::string wrong_extcap_filter(const std::string& filter);

}  // namespace wirespool::tools

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <vector>

#include "machine/machine_tree.hpp"

namespace wirespool::machine {

// Output directories of a capture that this machine is known to have.
struct CapturePlaces {
  std::string name;  // of its service, or its process ID
  bool running = false;
  std::vector<std::string> directories;  // never empty
};

// Services first, by name: /etc/wirespool/NAME.env that sets WIRESPOOL_DIRECTORIES, as
// config/systemd/wirespool@.service has it (systemd.exec(5), EnvironmentFile=). Then running processes that were told
// --output on their command line (proc_pid_cmdline(5)) and are of no such service. What may not be read is left out.
std::vector<CapturePlaces> look_for_captures(const MachineTree& tree);

}  // namespace wirespool::machine

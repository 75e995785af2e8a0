// SPDX-License-Identifier: BSD-3-Clause
#include "machine/drive_look.hpp"
#include "machine/facts.hpp"
#include "machine/system_clock.hpp"

namespace wirespool::machine {
Facts look_around(const MachineTree& tree, const LookOptions& options) {
  Facts facts;
  facts.memory = look_at_memory(tree);
  facts.processor = look_at_processor(tree);
  facts.process = look_at_process(tree);
  facts.platform = look_at_platform(tree);
  facts.vfio = look_at_vfio(tree);
  facts.ddp_package = has_ddp_package(tree);
  facts.devices = list_pci_devices(tree);
  facts.interfaces = look_at_interfaces(tree, facts.devices);
  for (const auto& path : options.directories) {
    facts.directories.push_back(look_at_directory(tree, path, options.try_write));
  }
  if (tree.is_this_machine()) {
    facts.clock = look_at_clock();
    if (auto refusal = io_uring_refusal()) facts.process.io_uring_refusal = refusal->message();
  }
  facts.not_seen = tree.refused();
  if (!facts.platform.hypervisor.empty()) {
    facts.not_seen["whether this guest's memory lies on hugepages"] =
        "only its host can see that: wirespool doctor there";
  }
  return facts;
}

}  // namespace wirespool::machine

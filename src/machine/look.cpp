// SPDX-License-Identifier: BSD-3-Clause
#include <sys/timex.h>

#include "machine/drive_look.hpp"
#include "machine/facts.hpp"

namespace wirespool::machine {
namespace {

// adjtimex(2) with modes 0 only reads.
std::optional<ClockFacts> look_at_clock() {
  timex clock{};
  const int state = adjtimex(&clock);
  if (state < 0) return std::nullopt;
  return ClockFacts{(clock.status & STA_UNSYNC) == 0, static_cast<std::uint64_t>(clock.maxerror),
                    static_cast<std::uint64_t>(clock.esterror)};
}

}  // namespace

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

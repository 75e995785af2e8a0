// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/capture_plan.hpp"

namespace wirespool::plan {

// EAL's options as the user gave them: in front of "--", or as `eal = [...]` in the configuration file. Without
// argv[0].
using EalArgs = std::vector<std::string>;

// Value of the last of these options, in any of the ways getopt_long(3) takes: "-l 0-2", "-l0-2", "--lcores=0-2",
// "--lcores 0-2". "" for an option that has none. nullopt: not given.
std::optional<std::string> eal_option(const EalArgs& args, std::span<const std::string_view> names);
bool has_eal_option(const EalArgs& args, std::string_view name);
// The values of all its occurrences, in order.
std::vector<std::string> eal_option_values(const EalArgs& args, std::string_view name);

// Which CPUs an lcore may run on.
struct LcoreCpus {
  unsigned lcore = 0;
  std::vector<unsigned> cpus;
  bool operator==(const LcoreCpus&) const = default;
};

// --lcores: "0@0,1-3,(4,5)@(6-7)", and -l, whose "0,2-4" is a part of it; -c: a hexadecimal mask. By lcore id.
std::expected<std::vector<LcoreCpus>, std::string> parse_lcore_map(std::string_view text);
std::expected<std::vector<LcoreCpus>, std::string> parse_core_mask(std::string_view text);

// Options that EAL does not have, missing values, and words that belong to no option. For the first two EAL would print
// a page of help; the last it would ignore.
std::vector<Error> check_eal_words(const EalArgs& args);

// What would make EAL abort or a capture impossible, found before EAL starts. `usable_cpus`: those that a cpuset lets
// this process run on.
std::vector<Error> check_eal_args(const EalArgs& args, std::span<const unsigned> usable_cpus);

// `args`, completed where they leave it open, so that captures can run side by side, leave nothing behind, and EAL
// reports only errors.
EalArgs complete_eal_args(EalArgs args);

// What --vdev (or a device's -a) says: "net_pcap0,rx_pcap=a.pcap,rx_pcap=b.pcap".
struct DeviceArgs {
  std::string name;
  std::vector<std::pair<std::string, std::string>> pairs;  // in order; a key may come again

  std::vector<std::string> all(std::string_view key) const;
};

DeviceArgs parse_device_args(std::string_view text);

// Devices that EAL would start differently from what was asked, without an error: a name given twice (the later one
// replaces the earlier), an argument that makes its driver ignore all of them.
std::vector<Error> check_vdevs(const EalArgs& args);

}  // namespace wirespool::plan

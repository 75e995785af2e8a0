// SPDX-License-Identifier: BSD-3-Clause
#include "plan/device_args.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>
#include <set>
#include <span>

namespace wirespool::plan {
namespace {

// Drivers that pass over all their arguments if there is one they do not know (rte_eth_tap.c and rte_eth_ring.c of DPDK
// 22.11, where rte_kvargs_parse returning nullptr is no error); others refuse to start.
struct LenientDriver {
  std::string_view prefix;
  std::span<const std::string_view> knows;
};

constexpr auto tap_arguments = std::to_array<std::string_view>({"iface", "mac", "remote", "persist"});
constexpr auto ring_arguments = std::to_array<std::string_view>({"nodeaction", "internal"});
constexpr auto lenient_drivers =
    std::to_array<LenientDriver>({{"net_tap", tap_arguments}, {"net_ring", ring_arguments}});

void check_arguments(const DeviceArgs& device, std::vector<Error>& problems) {
  const auto driver = std::ranges::find_if(
      lenient_drivers, [&](const auto& lenient) { return device.name.starts_with(lenient.prefix); });
  if (driver == lenient_drivers.end()) return;
  for (const auto& [key, value] : device.pairs) {
    if (std::ranges::find(driver->knows, key) != driver->knows.end()) continue;
    problems.push_back({"EAL's --vdev " + device.name,
                        fmt::format("{} knows no argument {}, and would pass over all of them", driver->prefix, key),
                        fmt::format("give it only {}", fmt::join(driver->knows, ", "))});
  }
}

unsigned number(const DeviceArgs& device, std::string_view key, unsigned otherwise) {
  const auto given = device.all(key);
  return given.empty() ? otherwise : static_cast<unsigned>(std::strtoul(given.back().c_str(), nullptr, 0));
}

// DPDK's driver takes the slots of all blocks for one row (rte_eth_af_packet.c: map + i * framesize); the kernel begins
// each block anew. With a gap at a block's end the driver waits for ever for a frame where there is none.
void check_slots(const DeviceArgs& device, std::vector<Error>& problems) {
  constexpr unsigned default_slot = 2048, default_block = 4096;
  if (!device.name.starts_with("net_af_packet")) return;
  const unsigned slot = number(device, "framesz", default_slot), block = number(device, "blocksz", default_block);
  if (slot == 0 || block % slot == 0) return;
  problems.push_back(
      {"EAL's --vdev " + device.name,
       fmt::format("blocksz={} is no multiple of framesz={}: its driver goes deaf after the first block", block, slot),
       fmt::format("give blocksz={}", std::lcm(slot, default_block))});
}

}  // namespace

std::vector<std::string> DeviceArgs::all(std::string_view key) const {
  std::vector<std::string> values;
  for (const auto& [name, value] : pairs)
    if (name == key) values.push_back(value);
  return values;
}

DeviceArgs parse_device_args(std::string_view text) {
  const auto next = [&text] {
    const auto word = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    return word;
  };
  DeviceArgs device{std::string(next()), {}};
  while (!text.empty()) {
    const auto word = next();
    const auto equals = word.find('=');
    device.pairs.emplace_back(word.substr(0, equals),
                              equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1));
  }
  return device;
}

std::vector<Error> check_vdevs(const EalArgs& args) {
  std::vector<Error> problems;
  std::set<std::string> names;
  for (const auto& text : eal_option_values(args, "--vdev")) {
    const auto device = parse_device_args(text);
    if (!names.insert(device.name).second)
      problems.push_back({"EAL's --vdev " + device.name, "it is given twice, and EAL would start one device for both",
                          "give each a number of its own, as net_pcap0 and net_pcap1"});
    check_arguments(device, problems);
    check_slots(device, problems);
  }
  return problems;
}

}  // namespace wirespool::plan

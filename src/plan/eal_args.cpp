// SPDX-License-Identifier: BSD-3-Clause
#include "plan/eal_args.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <numeric>
#include <set>
#include <span>

#include "options/values.hpp"

namespace wirespool::plan {

namespace {

using Names = std::initializer_list<std::string_view>;

// The value that `arg` (with the argument after it) gives to option `name`, if it gives any.
std::optional<std::string> value_of(std::string_view name, std::string_view arg, std::string_view next) {
  const bool is_long = name.starts_with("--");
  if (arg == name) return std::string(next.starts_with('-') ? "" : next);
  if (is_long && arg.starts_with(name) && arg[name.size()] == '=') return std::string(arg.substr(name.size() + 1));
  if (!is_long && arg.starts_with(name)) return std::string(arg.substr(name.size()));
  return std::nullopt;
}

std::optional<std::string> option(const EalArgs& args, Names names) {
  return eal_option(args, std::span(names.begin(), names.size()));
}

bool has_any(const EalArgs& args, Names names) { return option(args, names).has_value(); }

void add(EalArgs& args, Names more) { args.insert(args.end(), more.begin(), more.end()); }

void add_missing(EalArgs& args, std::string_view name) {
  if (!has_eal_option(args, name)) args.emplace_back(name);
}

Error no_list(std::string_view name, std::string why) {
  return {"EAL's " + std::string(name), std::move(why),
          "write -l 0-2, or --lcores 0@0,1@0,2@1 to place lcores on CPUs"};
}

// The lcores the arguments name; nullopt: none named, EAL takes every CPU it may run on.
std::expected<std::optional<std::vector<LcoreCpus>>, Error> asked_lcores(const EalArgs& args) {
  // From DPDK 25.11 on this renumbers lcores: then only EAL knows their CPUs.
  if (has_any(args, {"-R", "--remap-lcore-ids"})) return std::nullopt;
  for (const auto name : {"--lcores", "-l", "-c"}) {
    const auto text = option(args, {name});
    if (!text) continue;
    auto map = std::string_view(name) == "-c" ? parse_core_mask(*text) : parse_lcore_map(*text);
    if (!map) return std::unexpected(no_list(name, map.error()));
    return std::move(*map);
  }
  return std::nullopt;
}

std::vector<unsigned> missing_cpus(const LcoreCpus& lcore, std::span<const unsigned> usable) {
  std::vector<unsigned> missing;
  std::ranges::copy_if(lcore.cpus, std::back_inserter(missing),
                       [&](unsigned cpu) { return std::ranges::find(usable, cpu) == usable.end(); });
  return missing;
}

void check_cpus(const std::vector<LcoreCpus>& lcores, std::span<const unsigned> usable, std::vector<Error>& problems) {
  for (const auto& lcore : lcores) {
    const auto missing = missing_cpus(lcore, usable);
    if (missing.empty()) continue;
    problems.push_back({"lcores",
                        fmt::format("lcore {} needs CPU {}, but this process may only run on {}", lcore.lcore,
                                    options::format_number_list(missing), options::format_number_list(usable)),
                        "give the container or cpuset more CPUs, or place lcores with --lcores 0@0,1@0,...",
                        Error::Kind::not_ready});
  }
}

void check_main_lcore(const EalArgs& args, const std::vector<LcoreCpus>& lcores, std::vector<Error>& problems) {
  const auto text = option(args, {"--main-lcore"});
  const auto main = text ? options::parse_number_list(*text) : std::unexpected(std::string());
  if (!main || std::ranges::find(lcores, main->front(), &LcoreCpus::lcore) != lcores.end()) return;
  problems.push_back({"EAL's --main-lcore", fmt::format("lcore {} is not among the lcores", main->front()),
                      "add it to -l or --lcores, or leave --main-lcore out"});
}

// With --in-memory pages come from memfd_create(2): no file system for them, no files, no shared run-time
// configuration, so captures run side by side and leave nothing. With one file for each segment list, net_virtio_user
// can hand them to vhost, which takes few file descriptors.
void add_memory_args(EalArgs& args) {
  if (has_any(args, {"--no-huge", "--legacy-mem", "--match-allocations", "--huge-unlink"})) {
    add_missing(args, "--no-shconf");
    if (has_eal_option(args, "--legacy-mem") && !has_eal_option(args, "--no-huge")) add_missing(args, "--huge-unlink");
    // EAL's own choice without hugepages, 64 MB, is too little; memory that is not touched costs nothing.
    if (has_eal_option(args, "--no-huge") && !has_any(args, {"-m", "--socket-mem"})) add(args, {"-m", "1024"});
    return;
  }
  add_missing(args, "--in-memory");
  add_missing(args, "--single-file-segments");
}

}  // namespace

std::optional<std::string> eal_option(const EalArgs& args, std::span<const std::string_view> names) {
  std::optional<std::string> found;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string_view next = i + 1 < args.size() ? std::string_view(args[i + 1]) : std::string_view();
    for (const auto name : names) {
      if (auto value = value_of(name, args[i], next)) found = std::move(value);
    }
  }
  return found;
}

std::vector<std::string> eal_option_values(const EalArgs& args, std::string_view name) {
  std::vector<std::string> values;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string_view next = i + 1 < args.size() ? std::string_view(args[i + 1]) : std::string_view();
    if (auto value = value_of(name, args[i], next)) values.push_back(std::move(*value));
  }
  return values;
}

bool has_eal_option(const EalArgs& args, std::string_view name) {
  return eal_option(args, std::span(&name, 1)).has_value();
}

std::vector<Error> check_eal_args(const EalArgs& args, std::span<const unsigned> usable_cpus) {
  auto problems = check_eal_words(args);
  if (option(args, {"--proc-type"}) == "secondary") {
    problems.push_back({"EAL's --proc-type", "a secondary process may not configure ports", "leave it out"});
  }
  const auto lcores = asked_lcores(args);
  if (!lcores) {
    problems.push_back(lcores.error());
  } else if (*lcores) {
    check_cpus(**lcores, usable_cpus, problems);
    check_main_lcore(args, **lcores, problems);
  }
  std::ranges::move(check_vdevs(args), std::back_inserter(problems));
  return problems;
}

EalArgs complete_eal_args(EalArgs args) {
  // Users who name the process type want files that other DPDK processes can attach to.
  if (!has_eal_option(args, "--proc-type")) add_memory_args(args);
  // EAL warns of hugepage sizes without pages, and telemetry of sockets that nobody needs: only errors are wanted
  // there. If a part of DPDK registers its log before EAL reads these arguments, the last match holds; if it does so
  // later, the first (rte_log_register_type_and_pick_level walks them backwards). Telemetry changed from one to the
  // other in 23.11.
  if (!has_eal_option(args, "--log-level"))
    add(args, {"--log-level=lib.telemetry:error", "--log-level=*:warning", "--log-level=lib.eal:error",
               "--log-level=lib.telemetry:error"});
  return args;
}

namespace {

// Drivers that ignore all their arguments if they do not know one of them (rte_eth_tap.c and rte_eth_ring.c of DPDK
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

// DPDK's driver takes the slots of all blocks to be contiguous (rte_eth_af_packet.c: map + i * framesize); the kernel
// starts anew in each block. If there is a gap at a block's end, the driver waits for ever for a frame that is
// elsewhere.
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
  for (const auto& [own_key, value] : pairs)
    if (own_key == key) values.push_back(value);
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

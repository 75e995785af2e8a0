// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <set>

#include "format/file_name.hpp"
#include "format/pcap.hpp"
#include "plan/capture_plan.hpp"
#include "plan/lists.hpp"
#include "plan/units.hpp"
#include "plan/words.hpp"

namespace wirespool::plan {
namespace {

constexpr std::uint64_t ms = 1'000'000;

using Problems = std::vector<Problem>;

void check_range(Problems& problems, std::string_view option, std::uint64_t value, std::uint64_t least,
                 std::uint64_t most) {
  if (value >= least && value <= most) return;
  problems.push_back(
      {std::string(option), fmt::format("{} is out of range", value), fmt::format("give {} to {}", least, most)});
}

void check_range(Problems& problems, std::string_view option, std::optional<unsigned> value, std::uint64_t least,
                 std::uint64_t most) {
  if (value) check_range(problems, option, *value, least, most);
}

void check_time(Problems& problems, std::string_view option, std::optional<std::uint64_t> ns, std::uint64_t least_ns) {
  if (!ns || *ns >= least_ns) return;
  problems.push_back({std::string(option), fmt::format("{} is too short", format_time(*ns)),
                      fmt::format("give {} or more", format_time(least_ns))});
}

void check_not_zero(Problems& problems, std::string_view option, std::optional<std::uint64_t> value) {
  if (value != 0) return;
  problems.push_back(
      {std::string(option), "0 would end the capture before it starts", "give 1 or more, or leave it out"});
}

std::vector<std::string> repeated(const std::vector<std::string>& words) {
  std::set<std::string> seen;
  std::vector<std::string> result;
  for (const auto& word : words) {
    if (!seen.insert(word).second) result.push_back(word);
  }
  return result;
}

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

void check_outputs(Problems& problems, const CaptureConfig& config) {
  if (config.until == Until::disk && config.outputs.empty()) {
    problems.push_back({"--output", "a capture to disk needs a directory to write to",
                        "give --output DIR, or measure without drives with --until rx, handoff or block"});
  }
  std::vector<std::string> paths;
  for (const auto& output : config.outputs) paths.push_back(without_trailing_slashes(output));
  if (std::ranges::find(paths, "") != paths.end()) {
    problems.push_back({"--output", "an empty name is no directory", "give the directory's path"});
  }
  for (const auto& path : repeated(paths)) {
    problems.push_back({"--output", fmt::format("{} is given twice", path), "give each drive once"});
  }
}

void check_ports(Problems& problems, const CaptureConfig& config) {
  for (const auto& port : repeated(config.ports)) {
    problems.push_back({"--port", fmt::format("{} is given twice", port), "give each port once"});
  }
  if (std::ranges::find(config.ports, "") != config.ports.end()) {
    problems.push_back({"--port", "an empty name is no port", "give an id, a name or a PCI address"});
  }
}

void check_lcore_list(Problems& problems, std::string_view option, std::vector<unsigned> lcores) {
  std::ranges::sort(lcores);
  const auto twice = std::ranges::adjacent_find(lcores);
  if (twice == lcores.end()) return;
  problems.push_back({std::string(option), fmt::format("lcore {} is listed twice", *twice), "list each lcore once"});
}

void check_lcores(Problems& problems, const CaptureConfig& config) {
  check_lcore_list(problems, "--rx-lcores", config.rx_lcores);
  check_lcore_list(problems, "--writer-lcores", config.writer_lcores);
  std::vector<unsigned> both;
  for (const unsigned lcore : config.rx_lcores) {
    if (std::ranges::find(config.writer_lcores, lcore) != config.writer_lcores.end()) both.push_back(lcore);
  }
  if (!both.empty()) {
    problems.push_back({"--writer-lcores", fmt::format("lcore {} cannot receive and write", format_number_list(both)),
                        "take it out of --rx-lcores or out of --writer-lcores"});
  }
  if (config.until == Until::rx && !config.writer_lcores.empty()) {
    problems.push_back({"--writer-lcores", "--until rx has no writers", "leave it out, or run --until handoff"});
  }
}

// Limits are DPDK's (queues: RTE_MAX_QUEUES_PER_PORT, descriptors and MTU: 16 bits, RFC 791 for the least MTU) or wide
// enough for any real machine.
void check_receive_side(Problems& problems, const CaptureConfig& config) {
  check_range(problems, "--rx-queues", config.rx_queues, 1, 1024);
  check_range(problems, "--rx-desc", config.rx_desc, 1, 65535);
  // Drivers round a burst down to 8 (iavf, i40e, ice with AVX2): for less they return nothing, ever.
  check_range(problems, "--burst", config.burst, 8, 1024);
  check_range(problems, "--mbufs", config.mbufs, 64, 1u << 27);
  check_range(problems, "--mtu", config.mtu, 68, 65535);
  check_range(problems, "--snaplen", config.snaplen, 1, format::max_snaplen);
  if (!config.handoff_size) return;
  check_range(problems, "--handoff-size", config.handoff_size, 2, 1u << 18);
  if (!std::has_single_bit(*config.handoff_size)) {
    problems.push_back({"--handoff-size", fmt::format("{} is not a power of two", *config.handoff_size),
                        fmt::format("give {}", std::bit_ceil(std::min(*config.handoff_size, 1u << 18)))});
  } else if (*config.handoff_size < 2 * config.burst) {
    problems.push_back({"--handoff-size",
                        fmt::format("{} does not hold two bursts of {}", *config.handoff_size, config.burst),
                        "give more, or a smaller --burst"});
  }
}

void check_blocks(Problems& problems, const CaptureConfig& config) {
  if (config.block_size < 4096 || config.block_size > (1u << 30) || config.block_size % 512 != 0) {
    problems.push_back({"--block-size", fmt::format("{} is not a multiple of 512 from 4KiB to 1GiB", config.block_size),
                        "give a multiple of the drive's block size, as 1MiB"});
  }
  if (config.rotate_size < config.block_size) {
    problems.push_back({"--rotate-size",
                        fmt::format("{} is less than one Block of {}", format_size(config.rotate_size),
                                    format_size(config.block_size)),
                        "give --block-size or more"});
  } else if (config.rotate_size > 16ull << 40) {
    problems.push_back({"--rotate-size",
                        fmt::format("{} is more than a file can hold", format_size(config.rotate_size)),
                        "give 16TiB or less"});
  }
  check_range(problems, "--blocks", config.blocks, 1, 1u << 24);
  check_range(problems, "--io-depth", config.io_depth, 1, 1024);
}

void check_name(Problems& problems, const CaptureConfig& config) {
  if (format::valid_stem(config.name)) return;
  problems.push_back({"--name", fmt::format("\"{}\" cannot start a file's name", config.name),
                      "use 1 to 64 of A-Z a-z 0-9 _ - and dots, not starting with a dot or dash"});
}

void check_on_seal(Problems& problems, const CaptureConfig& config) {
  check_time(problems, "--on-seal-timeout", config.on_seal_timeout_ns, 100 * ms);
  if (config.on_seal.empty() || config.until == Until::disk) return;
  problems.push_back(
      {"--on-seal", fmt::format("--until {} makes no files", word(config.until)), "leave one of the two out"});
}

void check_times(Problems& problems, const CaptureConfig& config) {
  check_time(problems, "--rotate-age", config.rotate_age_ns, 10 * ms);
  check_time(problems, "--flush-age", config.flush_age_ns, ms);
  if (config.sync_age_ns != 0) check_time(problems, "--sync-age", config.sync_age_ns, 10 * ms);
  check_time(problems, "--stats-interval", config.stats_interval_ns, 10 * ms);
  check_time(problems, "--stop-timeout", config.stop_timeout_ns, 100 * ms);
  check_time(problems, "--port-return", config.port_return_ns, 10 * ms);
  check_not_zero(problems, "--duration", config.duration_ns);
  check_not_zero(problems, "--packets", config.packets);
  check_not_zero(problems, "--bytes", config.bytes);
  check_not_zero(problems, "--idle-exit", config.idle_exit_ns);
}

}  // namespace

std::vector<Problem> validate(const CaptureConfig& config) {
  Problems problems;
  check_outputs(problems, config);
  check_ports(problems, config);
  check_receive_side(problems, config);
  check_lcores(problems, config);
  check_name(problems, config);
  check_blocks(problems, config);
  check_times(problems, config);
  check_on_seal(problems, config);
  return problems;
}

}  // namespace wirespool::plan

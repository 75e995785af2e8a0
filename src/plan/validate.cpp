// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "format/header_end.hpp"
#include "options/values.hpp"
#include "plan/capture_plan.hpp"
#include "plan/capture_table.hpp"
#include "plan/route.hpp"
#include "plan/words.hpp"

// Checks of single options are in capture_table.cpp; here are those of combinations.
namespace wirespool::plan {
namespace {

using Problems = std::vector<Error>;

void check_outputs(Problems& problems, const CaptureConfig& config) {
  if (!to_drives(config) || !config.outputs.empty()) return;
  problems.push_back({"--output", "a capture to disk needs a directory to write to",
                      "give --output DIR, or measure without drives with --until rx, handoff or block"});
}

void check_lcores(Problems& problems, const CaptureConfig& config) {
  std::vector<unsigned> both;
  for (const unsigned lcore : config.rx_lcores) {
    if (std::ranges::find(config.writer_lcores, lcore) != config.writer_lcores.end()) both.push_back(lcore);
  }
  if (!both.empty()) {
    problems.push_back({"--writer-lcores",
                        fmt::format("lcore {} cannot receive and write", options::format_number_list(both)),
                        "take it out of --rx-lcores or out of --writer-lcores"});
  }
  if (route_of(config) == Route::ends_at_rx && !config.writer_lcores.empty()) {
    problems.push_back({"--writer-lcores", "--until rx has no writers", "leave it out, or run --until handoff"});
  }
}

void check_handoff(Problems& problems, const CaptureConfig& config) {
  if (!config.handoff_size || *config.handoff_size >= 2 * config.burst) return;
  problems.push_back({"--handoff-size",
                      fmt::format("{} does not hold two bursts of {}", *config.handoff_size, config.burst),
                      "give more, or a smaller --burst"});
}

void check_rotation(Problems& problems, const CaptureConfig& config) {
  if (config.rotate_size >= config.block_size) return;
  problems.push_back({"--rotate-size",
                      fmt::format("{} is less than one Block of {}", options::format_size(config.rotate_size),
                                  options::format_size(config.block_size)),
                      "give --block-size or more"});
}

void check_on_seal(Problems& problems, const CaptureConfig& config) {
  if (config.on_seal.empty() || to_drives(config)) return;
  problems.push_back(
      {"--on-seal", fmt::format("--until {} makes no files", word(config.until)), "leave one of the two out"});
}

void check_queries(Problems& problems, const CaptureConfig& config) {
  if (config.serve.empty() || to_drives(config)) return;
  problems.push_back(
      {"--serve", fmt::format("--until {} makes no files", word(config.until)), "leave one of the two out"});
}

void check_retention(Problems& problems, const CaptureConfig& config) {
  const auto* const first = config.retain_free   ? "--retain-free"
                            : config.retain_size ? "--retain-size"
                                                 : "--retain-age";
  if (!limits_of(config).any()) return;
  if (!to_drives(config))
    problems.push_back(
        {first, fmt::format("--until {} makes no files", word(config.until)), "leave one of the two out"});
  if (config.index == IndexLevel::off)
    problems.push_back(
        {first, "--index off: nobody would know how old the packets of a file are", "use --index time, the default"});
  if (config.retain_size && *config.retain_size != 0 && *config.retain_size / 2 < config.rotate_size)
    problems.push_back({"--retain-size",
                        fmt::format("{} is less than two files of {}", options::format_size(*config.retain_size),
                                    options::format_size(config.rotate_size)),
                        "give more, or a smaller --rotate-size"});
  if (config.retain_age_ns && *config.retain_age_ns < config.rotate_age_ns)
    problems.push_back(
        {"--retain-age",
         fmt::format("{} is less than the {} a file may be written", options::format_time(*config.retain_age_ns),
                     options::format_time(config.rotate_age_ns)),
         "give --rotate-age or more"});
}

void check_slice(Problems& problems, const CaptureConfig& config) {
  const bool trims = config.when_full == WhenFull::trim;
  if (!config.slice.empty() && !format::slice_of(config.slice))
    problems.push_back(
        {"--slice", fmt::format("{} is no layer and no length", config.slice), "give l2, l3, l4 or bytes"});
  if (!config.slice.empty() && route_of(config) == Route::ends_at_rx)
    problems.push_back({"--slice", "--until rx keeps nothing of any packet", "leave it out, or run --until handoff"});
  if (trims && !config.slice.empty())
    problems.push_back({"--when-full", fmt::format("--slice {} leaves no payload to be given up", config.slice),
                        "give one of the two; --snaplen goes with both"});
  if (trims && !to_drives(config))
    problems.push_back({"--when-full", fmt::format("--until {} has no drives that could be slow", word(config.until)),
                        "give drop or wait"});
}

// What is about flows only is nothing without one of the two that make a table of them.
void check_flows(Problems& problems, const CaptureConfig& config) {
  const CaptureConfig untouched;
  const auto needs = [&](const char* option, bool changed, const char* what) {
    if (changed) problems.push_back({option, fmt::format("it says nothing without {}", what), "give both, or neither"});
  };
  if (!config.cutoff) needs("--cutoff-then", config.cutoff_then != untouched.cutoff_then, "--cutoff");
  if (config.flows.empty()) {
    needs("--flow-format", config.flow_format != untouched.flow_format, "--flows");
    needs("--flow-active", config.flow_active_ns != untouched.flow_active_ns, "--flows");
  }
  if (follows_flows(config)) return;
  needs("--flow-idle", config.flow_idle_ns != untouched.flow_idle_ns, "--flows or --cutoff");
  needs("--flow-table", config.flow_table != untouched.flow_table, "--flows or --cutoff");
}

void check_archives(Problems& problems, const CaptureConfig& config) {
  if (config.archives.empty()) return;
  if (!to_drives(config))
    problems.push_back(
        {"--archive", fmt::format("--until {} makes no files", word(config.until)), "leave one of the two out"});
  if (config.index == IndexLevel::off)
    problems.push_back({"--archive",
                        "--index off: nobody would know how old the packets of a file are, and which go first",
                        "use --index time, the default"});
}

}  // namespace

std::vector<Error> validate(const CaptureConfig& config) {
  Problems problems;
  check_outputs(problems, config);
  for (auto& wrong : capture_table().problems(config)) {
    problems.push_back({std::move(wrong.what), std::move(wrong.why), std::move(wrong.what_to_do)});
  }
  check_lcores(problems, config);
  check_handoff(problems, config);
  check_rotation(problems, config);
  check_on_seal(problems, config);
  check_queries(problems, config);
  check_retention(problems, config);
  check_slice(problems, config);
  check_flows(problems, config);
  check_archives(problems, config);
  return problems;
}

}  // namespace wirespool::plan

// SPDX-License-Identifier: BSD-3-Clause
#include "plan/eal_args.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "options/lists.hpp"
#include "plan/device_args.hpp"

namespace wirespool::plan {
namespace {

using Names = std::initializer_list<std::string_view>;

// The one way in which `arg` (and the argument after it) gives option `name`, if it does.
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
  // From DPDK 25.11 on this renumbers lcores: their CPUs are then EAL's business.
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
// configuration, so captures run side by side and leave nothing. One file a segment list is what net_virtio_user can
// hand to vhost, which takes few file descriptors.
void add_memory_args(EalArgs& args) {
  if (has_any(args, {"--no-huge", "--legacy-mem", "--match-allocations", "--huge-unlink"})) {
    add_missing(args, "--no-shconf");
    if (has_eal_option(args, "--legacy-mem") && !has_eal_option(args, "--no-huge")) add_missing(args, "--huge-unlink");
    // EAL's own choice without hugepages, 64 MB, is too little; what is not touched costs nothing.
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
  // Whoever names the process type wants files that other DPDK processes can attach to.
  if (!has_eal_option(args, "--proc-type")) add_memory_args(args);
  // EAL tells of hugepage sizes it has none of as a warning: errors only there.
  if (!has_eal_option(args, "--log-level"))
    add(args, {"--log-level=*:warning", "--log-level=lib.eal:error", "--log-level=lib.telemetry:error"});
  return args;
}

}  // namespace wirespool::plan

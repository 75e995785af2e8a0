// SPDX-License-Identifier: BSD-3-Clause
#include "contest/contest.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <ctime>

namespace wirespool::bench {
namespace {

double read_clock(clockid_t id) {
  timespec time{};
  ::clock_gettime(id, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

}  // namespace

void Contest::add(std::string name, std::function<void(std::uint64_t)> body) {
  contestants_.push_back({.name = std::move(name), .body = std::move(body)});
}

void Contest::calibrate(Contestant& contestant) const {
  for (contestant.times = 64;; contestant.times *= 4) {
    const double start = read_clock(CLOCK_MONOTONIC);
    contestant.body(contestant.times);
    const double took = read_clock(CLOCK_MONOTONIC) - start;
    if (took < options_.slice_s / 8) continue;
    const double times = static_cast<double>(contestant.times) * options_.slice_s / took;
    contestant.times = std::max<std::uint64_t>(64, static_cast<std::uint64_t>(times));
    return;
  }
}

void Contest::run() {
  for (auto& contestant : contestants_) calibrate(contestant);
  for (unsigned round = 0; round < options_.rounds; ++round) {
    for (auto& contestant : contestants_) {
      const double start = read_clock(CLOCK_MONOTONIC), cpu_start = read_clock(CLOCK_PROCESS_CPUTIME_ID);
      contestant.body(contestant.times);
      const double took = read_clock(CLOCK_MONOTONIC) - start;
      contestant.cpu_s += read_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
      contestant.wall_s += took;
      contestant.ns.push_back(took * 1e9 / static_cast<double>(contestant.times));
    }
  }
  for (auto& contestant : contestants_) std::ranges::sort(contestant.ns);
  const auto& baseline = contestants_.front().ns;
  for (auto& contestant : contestants_) print(contestant, baseline[baseline.size() / 2]);
}

void Contest::print(Contestant& contestant, double baseline_ns) const {
  const auto& ns = contestant.ns;
  const double middle = ns[ns.size() / 2];
  const double shortfall = 1 - contestant.cpu_s / (contestant.wall_s * options_.threads);
  if (options_.json)
    fmt::print(
        "{{\"case\": \"{}\", \"name\": \"{}\", \"ns\": {:.4f}, \"low_ns\": {:.4f}, \"high_ns\": {:.4f}, "
        "\"shortfall\": {:.4f}}}\n",
        name_, contestant.name, middle, ns.front(), ns.back(), shortfall);
  else
    fmt::print("{:12} {:40} {:9.2f} ns ({:.2f} to {:.2f})  {:5.2f} of the baseline{}\n", name_, contestant.name, middle,
               ns.front(), ns.back(), middle / baseline_ns, shortfall > 0.02 ? "  (had too little CPU)" : "");
  std::fflush(stdout);
}

bool wants_json(std::span<char*> arguments) {
  return std::ranges::any_of(arguments, [](const char* word) { return std::strcmp(word, "--json") == 0; });
}

}  // namespace wirespool::bench

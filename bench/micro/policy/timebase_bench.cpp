// SPDX-License-Identifier: BSD-3-Clause
//
// What a stamp costs: timebase_bench [--json]
// The baseline asks the kernel's vDSO for UTC; the others read the TSC and convert it as an RX lcore does, for every
// packet, or once a Burst with the stamps in between interpolated.
#include <x86intrin.h>

#include <cstdint>
#include <ctime>
#include <vector>

#include "contest/contest.hpp"
#include "policy/shared_clock.hpp"
#include "policy/stamper.hpp"
#include "policy/timebase.hpp"

namespace {

using namespace wirespool;
using bench::keep;

constexpr std::uint64_t burst = 32;

std::uint64_t utc_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

policy::ClockSample sample() { return {{__rdtsc()}, {utc_ns()}}; }

void ask_the_kernel(std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) keep(utc_ns());
}

void read_only(std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) keep(__rdtsc());
}

// An RX lcore's own copy of the newest line, as in capture/rx_lcore.
struct Reader {
  const policy::SharedClock& shared;
  policy::ClockLine line = {};
  std::uint32_t version = 0;

  Timestamp now() {
    const policy::Ticks ticks{__rdtsc()};
    shared.refresh(line, version);
    return line.to_utc(ticks);
  }
};

void convert_each(Reader& reader, std::uint64_t times) {
  for (std::uint64_t i = 0; i < times; ++i) keep(reader.now().ns);
}

void stamp_bursts(Reader& reader, std::vector<std::uint64_t>& stamps, std::uint64_t times) {
  policy::Stamper stamper;
  for (std::uint64_t done = 0; done < times; done += burst) {
    auto run = stamper.polled(reader.now(), burst);
    for (auto& stamp : stamps) {
      stamp = run.first_ns;
      run.first_ns += run.step_ns;
    }
    keep(stamps.data());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto first = sample();
  policy::Timebase timebase(first, 2.5e9);
  policy::SharedClock shared;
  shared.publish(timebase.update(sample()));
  Reader reader{shared};
  std::vector<std::uint64_t> stamps(burst);

  bench::Contest contest("stamp", {.json = bench::wants_json({argv + 1, argv + argc})});
  contest.add("clock_gettime(CLOCK_REALTIME)", ask_the_kernel);
  contest.add("rdtsc, not converted", read_only);
  contest.add("rdtsc and ClockLine, each packet", [&](auto times) { convert_each(reader, times); });
  contest.add("the same once a Burst of 32, Stamper", [&](auto times) { stamp_bursts(reader, stamps, times); });
  contest.run();
}

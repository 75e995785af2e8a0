// SPDX-License-Identifier: BSD-3-Clause
//
// What the checksum of a Block costs: crc32c_bench [--json]
// A KiB each, out of a Block of 1 MiB that was just filled (--checksum on: it is summed up before it is written), out
// of 64 KiB that stay in the first caches, and out of 256 MiB of memory; memcpy of the same Block is the baseline.
// Without
// --json also in bytes per cycle of the TSC.
#include <fmt/core.h>
#include <x86intrin.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "contest/contest.hpp"
#include "format/crc32c.hpp"

namespace {

using namespace wirespool;
using bench::keep;
using Bytes = std::span<const std::byte>;

constexpr std::size_t kib = 1024, block_bytes = 1024 * kib;

std::vector<std::byte> noise(std::size_t bytes) {
  std::vector<std::byte> result(bytes);
  std::uint64_t state = 1;
  for (auto& byte : result) byte = static_cast<std::byte>((state = state * 6364136223846793005u + 1) >> 56);
  return result;
}

// As many KiB as asked for, in stretches of a Block or less.
template <typename Sum>
void sum_up(Bytes bytes, std::uint64_t times, Sum sum) {
  const auto stretch = std::min(bytes.size(), block_bytes);
  std::size_t at = 0;
  for (std::uint64_t left = times * kib; left > 0; left -= std::min<std::uint64_t>(left, stretch)) {
    keep(sum(bytes.subspan(at, std::min<std::uint64_t>(left, stretch))));
    at = (at + stretch) % bytes.size();
  }
}

// The best of a hundred times over all of it: what the processor can do when nobody disturbs it.
double bytes_per_cycle(Bytes bytes, auto sum) {
  std::uint64_t best = UINT64_MAX;
  const int rounds = bytes.size() > block_bytes ? 5 : 100;
  for (int i = 0; i < rounds; ++i) {
    const auto begin = __rdtsc();
    sum_up(bytes, bytes.size() / kib, sum);
    best = std::min(best, static_cast<std::uint64_t>(__rdtsc() - begin));
  }
  return static_cast<double>(bytes.size()) / static_cast<double>(best);
}

}  // namespace

int main(int argc, char** argv) {
  const auto memory = noise(256 * block_bytes);
  const auto block = Bytes(memory).first(block_bytes), cached = Bytes(memory).first(64 * kib);
  std::vector<std::byte> other(block_bytes);
  const auto copy = [&other](Bytes bytes) {
    std::memcpy(other.data(), bytes.data(), bytes.size());
    return other.data();
  };
  const auto instruction = [](Bytes bytes) { return format::crc32c(bytes); };
  const auto table = [](Bytes bytes) { return format::crc32c_by_table(bytes); };

  const bool json = bench::wants_json({argv + 1, argv + argc});
  bench::Contest contest("checksum of a KiB", {.json = json});
  contest.add("memcpy of a Block", [&](auto times) { sum_up(block, times, copy); });
  contest.add("crc32c, a Block of 1 MiB", [&](auto times) { sum_up(block, times, instruction); });
  contest.add("crc32c, 64 KiB", [&](auto times) { sum_up(cached, times, instruction); });
  contest.add("crc32c, 256 MiB", [&](auto times) { sum_up(memory, times, instruction); });
  contest.add("crc32c by table, a Block of 1 MiB", [&](auto times) { sum_up(block, times, table); });
  contest.run();
  if (json) return 0;
  fmt::print("bytes per TSC cycle: a Block {:.2f}, 64 KiB {:.2f}, 256 MiB {:.2f}, by table {:.2f}\n",
             bytes_per_cycle(block, instruction), bytes_per_cycle(cached, instruction),
             bytes_per_cycle(memory, instruction), bytes_per_cycle(block, table));
}

// SPDX-License-Identifier: BSD-3-Clause
//
// Runs a fuzz entry point without libFuzzer: on the files of a corpus, and on changed copies of them.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "fuzz/check.hpp"
#include "support/random.hpp"

namespace {

using Input = std::vector<std::uint8_t>;
using wirespool::test::Random;

constexpr std::uint64_t changed_copies = 3000;  // without SECONDS

Input read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void run(const Input& input) { LLVMFuzzerTestOneInput(input.data(), input.size()); }

// What transmission and drives do to bytes, and what a fuzzer does.
void change(Input& input, const std::vector<Input>& corpus, Random& random) {
  const auto at = [&] { return input.empty() ? 0 : random.below(input.size()); };
  switch (random.below(7)) {
    case 0:
      if (!input.empty()) input[at()] ^= static_cast<std::uint8_t>(1u << random.below(8));
      break;
    case 1:
      if (!input.empty()) input[at()] = static_cast<std::uint8_t>(random.next());
      break;
    case 2:
      input.resize(at());
      break;
    case 3:
      input.insert(input.begin() + static_cast<std::ptrdiff_t>(at()), static_cast<std::uint8_t>(random.next()));
      break;
    case 4: {
      const auto from = at();
      std::fill(input.begin() + static_cast<std::ptrdiff_t>(from),
                input.begin() + static_cast<std::ptrdiff_t>(std::min(input.size(), from + random.below(64))),
                random.below(2) == 0 ? std::uint8_t{0} : std::uint8_t{0xff});
      break;
    }
    case 5: {
      const auto& other = corpus[random.below(corpus.size())];
      const auto from = other.empty() ? 0 : random.below(other.size());
      input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
      break;
    }
    default:
      if (input.size() >= 4) std::swap(input[at()], input[at()]);
      break;
  }
  input.resize(std::min<std::size_t>(input.size(), 1 << 16));
}

// Returns how many: changed_copies, or as many as there is time for.
std::uint64_t run_changed(const std::vector<Input>& corpus, std::uint64_t seed, std::uint64_t seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  const auto is_over = [&](std::uint64_t runs) {
    return seconds == 0 ? runs == changed_copies : std::chrono::steady_clock::now() >= end;
  };
  Random random(seed);
  std::uint64_t runs = 0;
  for (; !is_over(runs); ++runs) {
    auto input = corpus[random.below(corpus.size())];
    for (auto changes = 1 + random.below(8); changes > 0; --changes) change(input, corpus, random);
    run(input);
  }
  return runs;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: %s CORPUS [SEED [SECONDS]]\n", argv[0]), 1;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Input> corpus;
  for (const auto& path : paths) corpus.push_back(read(path));
  if (corpus.empty()) return std::fprintf(stderr, "%s: no corpus there\n", argv[1]), 1;
  run({});
  for (const auto& input : corpus) run(input);
  const auto seed = argc > 2 ? std::stoull(argv[2]) : std::random_device{}();
  const auto seconds = argc > 3 ? std::stoull(argv[3]) : 0;
  std::printf("%zu inputs, seed %llu\n", corpus.size(), static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  const auto runs = run_changed(corpus, seed, seconds);
  std::printf("%llu executions\n", static_cast<unsigned long long>(runs + corpus.size() + 1));
  return 0;
}

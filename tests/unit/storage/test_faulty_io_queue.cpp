// SPDX-License-Identifier: BSD-3-Clause
#include "support/faulty_io_queue.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "storage/direct_file.hpp"
#include "support/aligned_buffer.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool::storage;
using namespace wirespool::test;

namespace {

constexpr std::uint32_t block = 8192;

struct Outcome {
  std::vector<WriteResult> results;
  FaultCounts counts;
};

// Writes `count` blocks one after another to one file and reaps them all.
Outcome write_blocks(const TempDir& dir, const FaultOptions& options, std::uint64_t count) {
  const auto directory = Directory::open(dir.str());
  const auto file = DirectFile::create(*directory, ".x.open", DirectFile::Mode::direct);
  const AlignedBuffer buffer(block, 9);
  FaultyIoQueue queue(options);
  INFO(queue.describe());
  Outcome outcome;
  WriteResult some[3];
  for (std::uint64_t n = 0; n < count || queue.in_flight() > 0;) {
    if (n < count && queue.submit({file->fd(), buffer.data(), block, n * block, n})) {
      ++n;
      continue;
    }
    const std::size_t taken = queue.reap(some);
    outcome.results.insert(outcome.results.end(), some, some + taken);
  }
  outcome.counts = queue.counts();
  return outcome;
}

}  // namespace

TEST_CASE("a faulty queue without faults is an ordinary queue") {
  const TempDir dir;
  const auto outcome = write_blocks(dir, {}, 200);
  REQUIRE(outcome.results.size() == 200);
  for (std::uint64_t n = 0; n < 200; ++n) {
    CHECK(outcome.results[n].tag == n);
    CHECK(outcome.results[n].result == static_cast<std::int32_t>(block));
  }
}

TEST_CASE("the same seed misbehaves in the same way") {
  const FaultOptions options{
      .seed = 77, .delay = 5, .refused = 0.1, .short_write = 0.1, .io_error = 0.1, .no_space = 0.1, .try_again = 0.1};
  const TempDir one;
  const TempDir two;
  const auto first = write_blocks(one, options, 300);
  const auto second = write_blocks(two, options, 300);
  const auto same = [](const WriteResult& a, const WriteResult& b) { return a.tag == b.tag && a.result == b.result; };
  CHECK(std::equal(first.results.begin(), first.results.end(), second.results.begin(), second.results.end(), same));
  CHECK(first.counts.short_writes > 0);
  CHECK(first.counts.io_errors > 0);
  CHECK(first.counts.torn > 0);
  CHECK(first.counts.no_space > 0);
  CHECK(first.counts.try_again > 0);
  CHECK(first.counts.refused > 0);
  CHECK(first.counts.out_of_order > 0);
}

TEST_CASE("chosen writes fail, and from its death on a drive fails for good") {
  const TempDir dir;
  const auto outcome = write_blocks(
      dir, {.chosen = {{3, -ENOSPC}, {5, 512}}, .deaths = {{.directory = dir.str(), .from = 10, .result = -EIO}}}, 20);
  REQUIRE(outcome.results.size() == 20);
  CHECK(outcome.results[3].result == -ENOSPC);
  CHECK(outcome.results[5].result == 512);
  CHECK(outcome.results[9].result == static_cast<std::int32_t>(block));
  for (std::uint64_t n = 10; n < 20; ++n) CHECK(outcome.results[n].result == -EIO);
}

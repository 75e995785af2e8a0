// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <random>

#include "policy/retention.hpp"
#include "support/catch.hpp"
#include "support/random.hpp"

using wirespool::Timestamp;
using namespace wirespool::policy;

namespace {

constexpr Timestamp now{1'000'000'000'000};
constexpr Space roomy{1000, 1000};

std::vector<std::size_t> files_of(const std::vector<Going>& going) {
  std::vector<std::size_t> files;
  for (const auto& one : going) files.push_back(one.file);
  return files;
}

using Files = std::vector<std::size_t>;

}  // namespace

TEST_CASE("without a limit nothing goes") {
  const std::vector<KeptFile> files{{0, {1}, 100}, {0, {2}, 100}};
  CHECK(what_goes(files, {}, now, {0, 1000}).empty());
}

TEST_CASE("as many of the oldest files go as a drive has too much") {
  const std::vector<KeptFile> files{{0, {3}, 100}, {0, {1}, 100}, {0, {2}, 100}};
  CHECK(files_of(what_goes(files, {.size_bytes = 300}, now, roomy)).empty());
  CHECK(files_of(what_goes(files, {.size_bytes = 299}, now, roomy)) == Files{1});
  CHECK(files_of(what_goes(files, {.size_bytes = 200}, now, roomy)) == Files{1});
  CHECK(files_of(what_goes(files, {.size_bytes = 199}, now, roomy)) == Files{1, 2});
}

TEST_CASE("a size is that of each drive, not of all together") {
  const std::vector<KeptFile> files{{0, {1}, 100}, {0, {2}, 100}, {1, {3}, 100}, {1, {4}, 50}};
  CHECK(files_of(what_goes(files, {.size_bytes = 150}, now, roomy)) == Files{0});
}

TEST_CASE("files go whose last packet is older than the age, and none of the future") {
  const auto age = 1'000'000'000ull;
  const std::vector<KeptFile> files{{0, {now.ns - age - 1}, 1}, {0, {now.ns - age}, 1}, {0, {now.ns + 10 * age}, 1}};
  CHECK(what_goes(files, {.age_ns = age}, now, roomy) == std::vector{Going{0, RetainReason::age}});
}

TEST_CASE("the oldest files of all drives of a file system go until enough of it is free") {
  const std::vector<KeptFile> files{{0, {4}, 100}, {1, {1}, 100}, {0, {2}, 100}, {1, {3}, 100}};
  const RetainLimits limits{.free = Share{20, 0}};
  CHECK(what_goes(files, limits, now, {200, 1000}).empty());
  CHECK(files_of(what_goes(files, limits, now, {199, 1000})) == Files{1});
  CHECK(files_of(what_goes(files, limits, now, {50, 1000})) == Files{1, 2});
  CHECK(files_of(what_goes(files, limits, now, {0, 1'000'000})) == Files{1, 2, 3, 0});  // all there is
}

TEST_CASE("room that a file's age wins is not won again for the file system") {
  const std::vector<KeptFile> files{{0, {1}, 100}, {0, {2}, 100}, {0, {now.ns - 1}, 100}};
  const auto going = what_goes(files, {.free = Share{0, 200}, .age_ns = 1'000}, now, {100, 1000});
  CHECK(going == std::vector{Going{0, RetainReason::age}, Going{1, RetainReason::age}});
}

TEST_CASE("what may not go stays, whatever is asked for, and does not count for the size") {
  const std::vector<KeptFile> files{{0, {1}, 500, false}, {0, {2}, 100}, {0, {3}, 100}};
  CHECK(what_goes(files, {.size_bytes = 200}, now, roomy).empty());
  const RetainLimits all{.free = Share{0, 1000}, .size_bytes = 0, .age_ns = 0};
  CHECK(files_of(what_goes(files, all, now, {0, 1000})) == Files{1, 2});
}

TEST_CASE("a share or a size is what stays free, without an overflow") {
  CHECK(bytes_to_stay_free({}, 1000) == 0);
  CHECK(bytes_to_stay_free({.free = Share{5, 0}}, 1000) == 50);
  CHECK(bytes_to_stay_free({.free = Share{0, 100}}, 1000) == 100);
  CHECK(bytes_to_stay_free({.free = Share{99, 0}}, UINT64_MAX) == UINT64_MAX / 100 * 99 + UINT64_MAX % 100 * 99 / 100);
}

TEST_CASE("whatever goes, no younger file of its drive goes before an older one for size or room") {
  const std::uint64_t seed = std::random_device{}();
  CAPTURE(seed);
  wirespool::test::Random random(seed);
  for (int round = 0; round < 200; ++round) {
    std::vector<KeptFile> files(random.next() % 40);
    std::uint64_t total = 0;
    for (auto& file : files) {
      file = {static_cast<unsigned>(random.next() % 3),
              {random.next() % 1000},
              random.next() % 100,
              random.next() % 4 != 0};
      total += file.bytes;
    }
    const RetainLimits limits{.free = Share{0, random.next() % 2000 + 1}, .size_bytes = random.next() % 600};
    const Space space{random.next() % 1000, 5000};
    const auto going = what_goes(files, limits, now, space);
    CHECK(std::ranges::is_sorted(going, {}, [&](const Going& one) { return files[one.file].last; }));
    CHECK(std::ranges::all_of(going, [&](const Going& one) { return files[one.file].may_go; }));
    std::uint64_t won = 0, left = 0;
    std::vector<std::uint64_t> held(3);
    for (std::size_t i = 0; i < files.size(); ++i) {
      const bool gone = std::ranges::find(going, i, &Going::file) != going.end();
      (gone ? won : left) += files[i].may_go ? files[i].bytes : 0;
      if (!gone && files[i].may_go) held[files[i].drive] += files[i].bytes;
    }
    CHECK((space.free + won >= limits.free->bytes || left == 0));
    CHECK(std::ranges::all_of(held, [&](auto bytes) { return bytes <= *limits.size_bytes; }));
  }
}

// SPDX-License-Identifier: BSD-3-Clause
#include "policy/archiving.hpp"
#include "support/catch.hpp"

using namespace wirespool::policy;

namespace {

constexpr std::uint64_t second = 1'000'000'000;
using Looks = std::vector<DriveLook>;

}  // namespace

TEST_CASE("drives are calm once no Block has waited for long enough, and not before that was seen") {
  Calm calm(10 * second);
  CHECK_FALSE(calm.look(Looks(2), 100 * second));
  CHECK_FALSE(calm.look(Looks(2), 109 * second));
  CHECK(calm.look(Looks(2), 110 * second));
  CHECK(calm.look(Looks(2), 111 * second));
}

TEST_CASE("a Block that had to wait for its turn on any drive ends the calm") {
  Calm calm(10 * second);
  calm.look(Looks(2), 0);
  REQUIRE(calm.look(Looks(2), 10 * second));
  const Looks waited{{}, {.waits = 1}};
  CHECK_FALSE(calm.look(waited, 11 * second));
  CHECK_FALSE(calm.look(waited, 20 * second));
  CHECK(calm.look(waited, 21 * second));
}

TEST_CASE("a write that is under way from one look to the next, with nothing done meanwhile, ends the calm") {
  Calm calm(10 * second);
  calm.look(Looks{{.blocks = 5, .load = 0}}, 0);
  CHECK(calm.look(Looks{{.blocks = 6, .load = 1}}, 10 * second));        // it has just begun
  CHECK(calm.look(Looks{{.blocks = 7, .load = 1}}, 11 * second));        // another one
  CHECK_FALSE(calm.look(Looks{{.blocks = 7, .load = 1}}, 12 * second));  // the same: the drive stands still
  CHECK(calm.look(Looks{{.blocks = 8, .load = 0}}, 22 * second));
}

TEST_CASE("archives are filled in the order given, by files that fit") {
  using Free = std::vector<std::uint64_t>;
  constexpr auto reserve = archive_reserve;
  CHECK_FALSE(archive_for(1, Free{}));
  CHECK(archive_for(100, Free{reserve + 100, 1 << 30}) == 0);
  CHECK(archive_for(101, Free{reserve + 100, 1 << 30}) == 1);
  CHECK(archive_for(0, Free{0, reserve}) == 1);
  CHECK_FALSE(archive_for(1, Free{0, reserve}));
  CHECK_FALSE(archive_for(UINT64_MAX, Free{UINT64_MAX}));
}

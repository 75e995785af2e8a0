// SPDX-License-Identifier: BSD-3-Clause
// The sources of filter/ as a build without libpcap has them.
#include "filter/program.hpp"
#include "support/catch.hpp"
#include "wirespool/filter.hpp"

using namespace wirespool;

TEST_CASE("without libpcap every filter is an error that says so, the empty one too, and none matches all") {
  for (const auto* expression : {"udp", "host 10.0.0.1", "", "no such filter"}) {
    CAPTURE(expression);
    const auto filter = Filter::compile(expression);
    REQUIRE_FALSE(filter);
    CHECK(filter.error().what == expression);
    CHECK(filter.error().why == "this wirespool was built without libpcap, which knows such expressions");
    CHECK(filter.error().what_to_do == "build it with libpcap: `meson setup -Dpcap=enabled`");
  }
}

TEST_CASE("without libpcap flows and Community IDs are filters all the same") {
  CHECK(Filter::flow("10.0.0.1:443 > 10.0.0.2:51000"));
  CHECK(Filter::community_id("1:LQU9qZlK+B5F3KDmev6m5PMibrg="));
}

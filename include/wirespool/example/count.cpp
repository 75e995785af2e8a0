// SPDX-License-Identifier: BSD-3-Clause
// How many packets of a filter lie in a directory, and from when to when.
//   usage: count DIR [EXPR [FROM]]
//   build: g++ -o count count.cpp $(pkg-config --cflags --libs wirespool)
#include <cstdint>
#include <iostream>

#include "wirespool/merge.hpp"
#include "wirespool/time_text.hpp"

using namespace wirespool;

namespace {

int fail(const Error& error) {
  std::cerr << "count: " << error.message() << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return fail({"usage", "count DIR [EXPR [FROM]]", ""});
  const auto spool = Spool::open({argv[1]});
  if (!spool) return fail(spool.error());

  Query query;
  if (argc > 2) {
    const auto filter = Filter::compile(argv[2]);
    if (!filter) return fail(filter.error());
    query.filter = *filter;
  }
  if (argc > 3) {
    const auto from = parse_time(argv[3], time_now());
    if (!from) return fail(from.error());
    query.from = *from;
  }

  std::uint64_t packets = 0, bytes = 0;
  Timestamp first, last;
  Merge merge(*spool, query);
  for (const auto& packet : merge) {
    if (packets++ == 0) first = packet.view.time;
    last = packet.view.time;
    bytes += packet.view.caplen();
  }
  std::cout << packets << " packets, " << bytes << " bytes, " << rfc3339(first) << " to " << rfc3339(last) << "\n";
  if (const auto outcome = merge.outcome(); !outcome) return fail(outcome.error());
  return 0;
}

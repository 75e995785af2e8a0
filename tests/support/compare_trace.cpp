// SPDX-License-Identifier: BSD-3-Clause
// Compares what a capture left in its directories with the trace that was sent, as libpcap reads both:
//   compare_trace order|set|subsequence|contains TRACE DIR...
// "subsequence": packets may be missing; "contains": packets that are not of the trace may lie between.
// Exit code 0: as it should be; 1: not, and stdout says where.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "support/spool_files.hpp"
#include "support/trace_compare.hpp"

using namespace wirespool::test;

namespace {

std::string compare(const std::string& how, const Trace& expected, const Trace& actual) {
  if (how == "order") return compare_in_order(expected, actual);
  if (how == "set") return compare_as_set(expected, actual);
  if (how == "contains") return compare_as_subsequence(actual, expected);
  return compare_as_subsequence(expected, actual);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  const bool known = how == "order" || how == "set" || how == "subsequence" || how == "contains";
  if (argc < 4 || !known) {
    std::fprintf(stderr, "compare_trace: usage: compare_trace order|set|subsequence|contains TRACE DIR...\n");
    return 2;
  }
  try {
    const auto expected = read_pcap(argv[2]);
    const auto actual = read_spool({argv + 3, argv + argc});
    const auto difference = compare(how, expected, actual);
    if (how == "contains") std::printf("looking for each packet sent among those stored: ");
    std::printf("%zu packets sent, %zu stored: %s\n", expected.size(), actual.size(),
                difference.empty() ? "as it should be" : difference.c_str());
    return difference.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "compare_trace: %s\n", error.what());
    return 2;
  }
}

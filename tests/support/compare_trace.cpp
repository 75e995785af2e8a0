// SPDX-License-Identifier: BSD-3-Clause
// Compares what a capture left in its directories with the trace that was sent, as libpcap reads both:
//   compare_trace order|set|subsequence TRACE DIR...
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
  return compare_as_subsequence(expected, actual);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  if (argc < 4 || (how != "order" && how != "set" && how != "subsequence")) {
    std::fprintf(stderr, "compare_trace: usage: compare_trace order|set|subsequence TRACE DIR...\n");
    return 2;
  }
  try {
    const auto expected = read_pcap(argv[2]);
    const auto actual = read_spool({argv + 3, argv + argc});
    const auto difference = compare(how, expected, actual);
    std::printf("%zu packets sent, %zu stored: %s\n", expected.size(), actual.size(),
                difference.empty() ? "the same" : difference.c_str());
    return difference.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "compare_trace: %s\n", error.what());
    return 2;
  }
}

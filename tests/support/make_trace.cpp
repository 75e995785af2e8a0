// SPDX-License-Identifier: BSD-3-Clause
// Writes a made-up trace as nanosecond pcap, for shell tests and the benchmark:
//   make_trace --kind KIND --packets N [--seed N] [--first N] [--flows N] [--min-bytes N] --out FILE
// See trace.hpp for the kinds. Prints packets and bytes.
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>

#include "support/trace.hpp"

using namespace wirespool::test;

namespace {

int usage() {
  std::string kinds;
  for (const auto& kind : trace_kinds()) kinds += "|" + kind;
  std::fprintf(stderr,
               "make_trace: usage: make_trace --kind BYTES%s --packets N [--seed N] [--first N] [--flows N] "
               "[--min-bytes N] --out FILE\n",
               kinds.c_str());
  return 1;
}

struct Request {
  TraceSpec spec;
  std::string out;
};

bool parse(int argc, char** argv, Request& request) {
  std::map<std::string, std::string> options;
  if (argc % 2 == 0) return false;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  auto& spec = request.spec;
  const auto number = [](const std::string& text) { return std::stoull(text); };
  for (const auto& [name, value] : options) {
    if (name == "--kind")
      spec.kind = value;
    else if (name == "--packets")
      spec.packets = number(value);
    else if (name == "--seed")
      spec.seed = number(value);
    else if (name == "--first")
      spec.first_number = number(value);
    else if (name == "--flows")
      spec.flows = static_cast<unsigned>(number(value));
    else if (name == "--min-bytes")
      spec.min_bytes = static_cast<unsigned>(number(value));
    else if (name == "--out")
      request.out = value;
    else
      return false;
  }
  return valid_trace_kind(spec.kind) && !request.out.empty();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Request request;
    if (!parse(argc, argv, request)) return usage();
    const auto trace = make_trace(request.spec);
    write_pcap(trace, request.out);
    std::printf("%zu packets, %llu bytes\n", trace.size(), static_cast<unsigned long long>(trace.bytes()));
    return 0;
  } catch (const std::invalid_argument&) {  // std::stoull: not a number
    return usage();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_trace: %s\n", error.what());
    return 1;
  }
}

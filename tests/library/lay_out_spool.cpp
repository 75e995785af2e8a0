// SPDX-License-Identifier: BSD-3-Clause
// A small spool for the example: usage: lay_out_spool DIR
#include <cstdio>

#include "spool/reading_rig.hpp"

using namespace wirespool::test;

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  TraceSpec spec;
  spec.packets = 3000;
  Layout layout;
  layout.directories = {argv[1]};
  layout.index = Layout::Index::flow;
  std::printf("%zu files\n", lay_out(make_trace(spec), layout).size());
  return 0;
}

// SPDX-License-Identifier: BSD-3-Clause
// Lines of a ledger, and capture.json.
#include "fuzz/check.hpp"
#include "tools/ledger_file.hpp"

using namespace wirespool::tools;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = wirespool::fuzz::text_of(data, size);
  if (const auto point = parse_ledger_line(text)) {
    (void)point->imbalance();
    (void)losses_between({*point}, point->time, point->time).sum();
  }
  if (const auto facts = parse_capture_json(text); facts && facts->final) (void)facts->final->imbalance();
  return 0;
}

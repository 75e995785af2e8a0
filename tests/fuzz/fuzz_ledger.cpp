// SPDX-License-Identifier: BSD-3-Clause
// Lines of a ledger, and capture.json: whatever is read is written again as what it is.
#include "format/capture_file.hpp"
#include "fuzz/check.hpp"
#include "stats/ledger.hpp"
#include "tools/ledger_file.hpp"

using namespace wirespool;
using fuzz::check;

namespace {

void try_line(std::string_view text) {
  auto line = format::decode_ledger_line(text);
  if (!line) return;
  (void)stats::imbalance(*line);
  const auto losses = stats::losses_of(*line);
  (void)tools::losses_between({{line->time, losses}}, line->time, line->time).sum();
  const auto back = format::decode_ledger_line(format::encode_ledger_line(*line));
  check(back && *back == *line, "a ledger line reads back as it was written");
}

void try_capture_file(std::string_view text) {
  const auto file = format::decode_capture_file(text);
  if (!file) return;
  (void)format::decode_plan_facts(file->plan);
  const auto back = format::decode_capture_file(format::encode_capture_file(*file));
  check(back && *back == *file, "a capture.json reads back as it was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  try_line(text);
  try_capture_file(text);
  return 0;
}

// SPDX-License-Identifier: BSD-3-Clause
// Points in time, durations and sizes, as people write them.
#include "fuzz/check.hpp"
#include "options/values.hpp"
#include "wirespool/time_text.hpp"

using namespace wirespool;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  const Timestamp now{1'795'247'670'000'000'000};
  if (const auto moment = parse_time(text, now); !moment)
    fuzz::check(!moment.error().what_to_do.empty(), "a refusal says why");
  else
    fuzz::check(from_rfc3339(rfc3339(*moment)) == *moment, "a time reads back as it was");
  if (const auto bytes = options::parse_size(text)) (void)options::format_size(*bytes);
  if (const auto ns = options::parse_time(text)) (void)options::format_time(*ns);
  return 0;
}

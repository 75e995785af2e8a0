// SPDX-License-Identifier: BSD-3-Clause
// Names of SpoolFiles, hidden files, and the times in them.
#include "format/file_name.hpp"
#include "fuzz/check.hpp"

using namespace wirespool::format;
using wirespool::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = wirespool::fuzz::text_of(data, size);
  if (const auto name = parse_file_name(text)) check(format_file_name(*name) == text, "a name reads back as it was");
  if (const auto name = parse_hidden_file_name(text))
    check(hidden_file_name(*name) == text, "a hidden name reads back as it was");
  if (const auto time = parse_compact_time(text))
    check(format_compact_time(*time) == text, "a time reads back as it was");
  if (const auto name = pcap_of_pending_file(text))
    check(pending_file_name(*name) == text, "a pending name reads back as it was");
  (void)index_file_name(text);
  (void)hidden_index_file_name(text);
  (void)valid_stem(text);
  return 0;
}

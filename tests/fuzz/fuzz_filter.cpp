// SPDX-License-Identifier: BSD-3-Clause
// Filter expressions (the bytes up to the first zero), and the keys of a frame (those behind it). What libpcap matches
// has to be found in the index.
#include <string>

#include "filter/filter_reader.hpp"
#include "format/key_set.hpp"
#include "fuzz/check.hpp"
#include "wirespool/filter.hpp"

using namespace wirespool;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  const auto expression = text.substr(0, text.find('\0'));
  const auto frame = fuzz::bytes_of(data, size).subspan(std::min(size, expression.size() + 1));
  const auto condition = filter::FilterReader(expression).read();
  static format::KeyCollector collector;
  collector.add(frame);
  std::vector<std::byte> lines;
  collector.take(lines);
  const bool may = format::KeySet(lines).may_match(condition);
  // A name in an expression would be looked up in the network.
  constexpr auto harmless = "0123456789.:/() \nandorthsplxuimvcy";
  if (expression.find_first_not_of(harmless) != std::string_view::npos || expression.size() > 200) return 0;
  auto filter = Filter::compile(std::string(expression));
  if (!filter) return 0;
  const StoredPacket packet{{Timestamp{1}, static_cast<std::uint32_t>(frame.size()), frame}, 1, 0, {}};
  if (filter->matches(packet)) fuzz::check(may, "a packet that matches is not left out");
  return 0;
}

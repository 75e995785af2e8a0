// SPDX-License-Identifier: BSD-3-Clause
// Finding the first record in bytes that begin anywhere.
#include "format/record_scanner.hpp"
#include "fuzz/check.hpp"

using namespace wirespool;
using namespace wirespool::format;
using wirespool::fuzz::check;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = wirespool::fuzz::bytes_of(data, size);
  const auto zeros = leading_zeros(bytes);
  check(zeros <= size && trailing_zeros(bytes) <= size, "zeros are counted within the bytes");
  for (const bool complete : {true, false}) {
    for (const bool ordered : {true, false}) {
      TimeLimits limits;
      limits.may_go_back_ns = ordered ? 0 : TimeLimits::any;
      RecordScanner scanner(PcapDecoder::native(), limits);
      const auto found = scanner.find(bytes, Timestamp{1'767'225'600'000'000'000}, complete);
      if (!found) continue;
      check(*found + sizeof(PcapRecordHeader) <= size, "a header is wholly there");
      check(scanner.plausible(bytes.subspan(*found), Timestamp{}).has_value(), "what is found is plausible");
    }
  }
  return 0;
}

// SPDX-License-Identifier: BSD-3-Clause
// The sidecar index. Its checksums are made right first: what lies behind them has to be survived too.
#include <cstring>
#include <vector>

#include "format/crc32c.hpp"
#include "format/index_file.hpp"
#include "format/key_set.hpp"
#include "fuzz/check.hpp"

using namespace wirespool;
using namespace wirespool::format;
using wirespool::fuzz::check;

namespace {

void use(std::span<const std::byte> bytes) {
  const auto header = decode_index_header(bytes.first(std::min(bytes.size(), index_head_bytes)));
  const auto index = decode_index({bytes.begin(), bytes.end()});
  if (!index) return;
  check(header.has_value(), "the header of a good index is good");
  for (std::size_t row = 0; row < index->filter_lines.size(); ++row) {
    const auto filter =
        index->filter_bytes().subspan(index->filter_offsets[row], index->filter_lines[row] * sizeof(FilterLine));
    (void)KeySet(filter).may_contain(port_key(80));
  }
  const auto again = encode_index(index->header, index->entries, {index->filter_lines, index->filter_bytes()});
  check(decode_index(again).has_value(), "what was read can be written and read again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = wirespool::fuzz::bytes_of(data, size);
  use(bytes);
  if (size < index_header_bytes) return 0;
  std::vector<std::byte> right(bytes.begin(), bytes.end());
  const auto put = [&right](std::size_t offset, auto value) {
    std::memcpy(right.data() + offset, &value, sizeof value);
  };
  put(56, std::uint64_t{size - index_header_bytes});
  constexpr std::size_t part_bytes = 32;  // the mark, and behind it the clock: the checksum of each stands last in it
  for (auto begin = index_header_bytes; begin < index_head_bytes && begin + part_bytes <= size; begin += part_bytes)
    if (right[8] == std::byte{3} || (right[8] == std::byte{2} && begin == index_header_bytes))
      put(begin + part_bytes - 4, crc32c(std::span(right).subspan(begin, part_bytes - 4)));
  put(68, crc32c(std::span(right).subspan(index_header_bytes)));
  put(76, crc32c(std::span(right).first(76)));
  use(right);
  return 0;
}

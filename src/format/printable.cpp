// SPDX-License-Identifier: BSD-3-Clause
#include "format/printable.hpp"

#include <cstddef>

namespace wirespool::format {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

std::size_t length_told_by(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

// The first character of UTF-8 (RFC 3629); one invalid byte if it begins none.
Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const auto bytes = length_told_by(lead);
  if (bytes == 1) return {lead, 1, true};
  if (bytes == 0 || text.size() < bytes) return {};
  char32_t code = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {};
    code = code << 6 | (next & 0x3fu);
  }
  constexpr char32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < shortest[bytes] || surrogate || code > 0x10ffff) return {};
  return {code, bytes, true};
}

bool is_obeyed(char32_t code) {
  const bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
  const bool breaks_line = code == 0x2028 || code == 0x2029;
  const bool turns_direction = code == 0x200e || code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
                               (code >= 0x2066 && code <= 0x2069) || code == 0x061c;
  return control || breaks_line || turns_direction;
}

void append_hex(std::string& to, unsigned char byte) {
  constexpr char digits[] = "0123456789abcdef";
  to += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto character = first_of(text);
    const auto bytes = text.substr(0, character.bytes);
    if (character.valid && !is_obeyed(character.code)) {
      result += bytes;
    } else {
      for (const char byte : bytes) append_hex(result, static_cast<unsigned char>(byte));
    }
    text.remove_prefix(bytes.size());
  }
  return result;
}

}  // namespace wirespool::format

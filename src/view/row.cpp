// SPDX-License-Identifier: BSD-3-Clause
#include "view/row.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "format/printable.hpp"

namespace wirespool::view {
namespace {

constexpr std::array<const char*, 9> eighths{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<const char*, 9> of_ascii{" ", ".", ".", ":", "-", "=", "+", "*", "#"};

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

unsigned characters_in(std::string_view text) {
  return static_cast<unsigned>(std::ranges::count_if(text, begins_character));
}

std::string_view first_characters(std::string_view text, unsigned count) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (begins_character(text[i]) && count-- == 0) return text.substr(0, i);
  return text;
}

const char* begin_of(Style style) {
  switch (style) {
    case Style::dim:
      return "\x1b[2m";
    case Style::bold:
      return "\x1b[1m";
    case Style::red:
      return "\x1b[1;31m";
    case Style::green:
      return "\x1b[32m";
    case Style::yellow:
      return "\x1b[33m";
    case Style::plain:
      break;
  }
  return "";
}

}  // namespace

Row& Row::put(std::string_view text, Style style) {
  auto safe = format::printable(text);
  columns_ += characters_in(safe);
  pieces_.push_back({std::move(safe), style});
  return *this;
}

Row& Row::to(unsigned column) { return put(std::string(column > columns_ ? column - columns_ : 1, ' ')); }

Row& Row::number(std::string_view text, unsigned width, Style style) {
  const auto taken = characters_in(text);
  if (taken < width) put(std::string(width - taken, ' '));
  return put(text, style);
}

std::string Row::text(unsigned columns, const Look& look) const {
  std::string text;
  for (const auto& piece : pieces_) {
    const auto part = first_characters(piece.text, columns);
    columns -= std::min(columns, characters_in(part));
    const bool styled = look.colours && piece.style != Style::plain && !part.empty();
    if (styled) text += begin_of(piece.style);
    text += part;
    if (styled) text += "\x1b[0m";
  }
  return text;
}

std::string bar(double share, unsigned columns, const Look& look) {
  const auto full = static_cast<unsigned>(std::lround(std::clamp(share, 0.0, 1.0) * columns));
  std::string text;
  for (unsigned i = 0; i < columns; ++i) text += i < full ? (look.utf8 ? "█" : "#") : (look.utf8 ? "·" : ".");
  return text;
}

std::string sparkline(const std::vector<double>& values, const Look& look) {
  const double largest = values.empty() ? 0 : std::ranges::max(values);
  std::string text;
  for (const double value : values) {
    const auto level = value > 0 ? std::max(1l, std::lround(8 * value / largest)) : 0l;
    text += (look.utf8 ? eighths : of_ascii)[static_cast<std::size_t>(level)];
  }
  return text;
}

}  // namespace wirespool::view

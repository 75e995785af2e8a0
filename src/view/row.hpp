// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wirespool::view {

enum class Style { plain, dim, bold, red, green, yellow };

// What a terminal can show.
struct Look {
  bool colours = false;  // and other attributes (ECMA-48, SGR)
  bool utf8 = false;     // else ASCII only
};

// One line of the screen. Each character is taken to be one column wide.
class Row {
 public:
  // At the end; control characters are made visible.
  Row& put(std::string_view text, Style style = Style::plain);
  // Spaces up to a column, counted from 0; one space if the row is as long already.
  Row& to(unsigned column);
  // Right-aligned in `width` columns.
  Row& number(std::string_view text, unsigned width, Style style = Style::plain);

  unsigned columns() const { return columns_; }
  // The first `columns` of it; no newline.
  std::string text(unsigned columns, const Look& look) const;

 private:
  struct Piece {
    std::string text;
    Style style;
  };
  std::vector<Piece> pieces_;
  unsigned columns_ = 0;
};

// `share`, 0 to 1, as a bar of `columns`.
std::string bar(double share, unsigned columns, const Look& look);

// Values as a row of bars, a column each, relative to the largest; zeros are spaces.
std::string sparkline(const std::vector<double>& values, const Look& look);

}  // namespace wirespool::view

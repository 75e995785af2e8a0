// SPDX-License-Identifier: BSD-3-Clause
#include "serve/ledger_lines.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

namespace wirespool::serve {

using storage::IoError;

namespace {

constexpr std::uint64_t longest_line = 16 << 20;
constexpr std::size_t step = 4096;  // bytes that are looked through at a time: about a line

IoError too_long(const storage::ReadFile& file) { return {"reading " + file.path() + ": a line has no end", EFBIG}; }

// Behind the last newline before `offset`; 0: there is none.
std::expected<std::uint64_t, IoError> line_start(const storage::ReadFile& file, std::uint64_t offset) {
  std::array<std::byte, step> buffer;
  for (auto end = offset; end > 0;) {
    const auto begin = end - std::min<std::uint64_t>(end, step);
    const auto piece = std::span(buffer).first(static_cast<std::size_t>(end - begin));
    const auto got = file.read(begin, piece);
    if (!got) return std::unexpected(got.error());
    const auto read = piece.first(*got);
    const auto newline = std::ranges::find(read.rbegin(), read.rend(), std::byte{'\n'});
    if (newline != read.rend()) return begin + static_cast<std::uint64_t>(read.rend() - newline);
    if (offset - begin > longest_line) return std::unexpected(too_long(file));
    end = begin;
  }
  return 0;
}

// Behind the newline of the line that begins at `begin`, which has one.
std::expected<std::uint64_t, IoError> line_end(const storage::ReadFile& file, std::uint64_t begin) {
  std::array<std::byte, step> buffer;
  for (auto at = begin; at - begin <= longest_line;) {
    const auto got = file.read(at, buffer);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return at;  // it was cut meanwhile
    const auto read = std::span(buffer).first(*got);
    const auto newline = std::ranges::find(read, std::byte{'\n'});
    if (newline != read.end()) return at + static_cast<std::uint64_t>(newline - read.begin()) + 1;
    at += *got;
  }
  return std::unexpected(too_long(file));
}

}  // namespace

std::expected<Lines, IoError> all_lines(const storage::ReadFile& file) {
  const auto end = line_start(file, file.size());
  if (!end) return std::unexpected(end.error());
  return Lines{0, *end};
}

std::expected<Lines, IoError> last_lines(const storage::ReadFile& file, std::uint64_t count) {
  auto lines = all_lines(file);
  if (!lines) return lines;
  lines->begin = lines->end;
  for (; count > 0 && lines->begin > 0; --count) {
    const auto begin = line_start(file, lines->begin - 1);
    if (!begin) return std::unexpected(begin.error());
    lines->begin = *begin;
  }
  return lines;
}

std::expected<std::vector<Lines>, IoError> spread_lines(const storage::ReadFile& file, std::uint64_t count) {
  const auto all = all_lines(file);
  if (!all) return std::unexpected(all.error());
  std::vector<Lines> lines;
  if (all->end == 0) return lines;
  for (std::uint64_t i = 0; i < count; ++i) {
    // The double's error is far below a line; the last place is that of the last newline.
    const auto share = count == 1 ? 1.0 : static_cast<double>(i) / static_cast<double>(count - 1);
    const auto place = std::min(static_cast<std::uint64_t>(share * static_cast<double>(all->end - 1)), all->end - 1);
    if (!lines.empty() && place < lines.back().end) continue;
    const auto begin = line_start(file, place);
    if (!begin) return std::unexpected(begin.error());
    const auto end = line_end(file, *begin);
    if (!end) return std::unexpected(end.error());
    if (!lines.empty() && lines.back().end == *begin) {
      lines.back().end = *end;
    } else {
      lines.push_back({*begin, *end});
    }
  }
  return lines;
}

}  // namespace wirespool::serve

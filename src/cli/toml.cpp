// SPDX-License-Identifier: BSD-3-Clause
#include "cli/toml.hpp"

#include <algorithm>
#include <charconv>

namespace wirespool::cli {
namespace {

constexpr auto end_of_text = '\0';

bool is_bare(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// UTF-8 of a code point, as \uXXXX names it.
std::string utf8(unsigned code) {
  if (code < 0x80) return {static_cast<char>(code)};
  const auto tail = static_cast<char>(0x80 | (code & 0x3f));
  if (code < 0x800) return {static_cast<char>(0xc0 | code >> 6), tail};
  return {static_cast<char>(0xe0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3f)), tail};
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;  // a byte order mark, which some editors leave
  }

  std::vector<TomlEntry> read() {
    std::vector<TomlEntry> entries;
    for (skip_blank_lines(); !at_end(); skip_blank_lines()) {
      auto entry = read_entry();
      if (std::ranges::find(entries, entry.key, &TomlEntry::key) != entries.end())
        fail("\"" + entry.key + "\" is set twice");
      entries.push_back(std::move(entry));
    }
    return entries;
  }

 private:
  [[noreturn]] void fail(std::string why) const { throw TomlError{line_, std::move(why)}; }

  bool at_end() const { return at_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : end_of_text; }

  char take() {
    const char c = peek();
    if (c == '\n') ++line_;
    ++at_;
    return c;
  }

  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t') take();
  }

  // Skips spaces, a comment, and the end of the line; true if the line ends here.
  bool skip_line_end() {
    skip_spaces();
    if (peek() == '#') {
      while (!at_end() && peek() != '\n') take();
    }
    if (peek() == '\r' && peek(1) == '\n') take();
    if (at_end()) return true;
    if (peek() != '\n') return false;
    take();
    return true;
  }

  void skip_blank_lines() {
    while (!at_end() && skip_line_end()) continue;
  }

  TomlEntry read_entry() {
    TomlEntry entry;
    entry.line = line_;
    entry.key = read_key();
    skip_spaces();
    if (peek() == '.') fail("keys are option names, without dots");
    if (take() != '=') fail("a line is: option = value");
    skip_spaces();
    read_value(entry);
    if (!skip_line_end()) fail("something follows the value of \"" + entry.key + "\"");
    return entry;
  }

  std::string read_key() {
    if (peek() == '[') fail("there are no tables here: each line is an option");
    if (peek() == '"' || peek() == '\'') return read_string();
    std::string key;
    while (is_bare(peek())) key += take();
    if (key.empty()) fail("a line is: option = value");
    return key;
  }

  void read_value(TomlEntry& entry) {
    if (peek() == '[') return read_array(entry);
    const bool quoted = peek() == '"' || peek() == '\'';
    entry.values.push_back(read_scalar());
    entry.is_boolean = !quoted && (entry.values[0] == "true" || entry.values[0] == "false");
  }

  void read_array(TomlEntry& entry) {
    entry.is_array = true;
    take();
    for (skip_blank_lines(); !at_end() && peek() != ']'; skip_blank_lines()) {
      entry.values.push_back(read_scalar());
      skip_blank_lines();
      if (peek() != ',') break;
      take();
    }
    if (at_end()) fail("the array of \"" + entry.key + "\" does not end");
    if (take() != ']') fail("an array is: [value, value]");
  }

  std::string read_scalar() {
    if (peek() == '"' || peek() == '\'') return read_string();
    if (peek() == '[' || peek() == '{') fail("a value is a string, a number, true or false");
    return read_plain();
  }

  // A number or a boolean: the option checks which. Anything else has lost its quotes.
  std::string read_plain() {
    std::string word;
    while (is_bare(peek()) || peek() == '.' || peek() == '+' || peek() == ':') word += take();
    if (word == "true" || word == "false") return word;
    std::erase(word, '_');
    if (word.starts_with('+')) word.erase(0, 1);
    double number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (word.empty() || error == std::errc::invalid_argument || end != word.data() + word.size()) {
      fail("a value is a number, true, false, or text in quotes");
    }
    return word;
  }

  std::string read_string() {
    const char quote = take();
    if (peek() == quote && peek(1) == quote) fail("strings of several lines are not read here");
    std::string text;
    while (peek() != quote) {
      if (at_end() || peek() == '\n') fail("a string does not end on its line");
      const char c = take();
      text += c == '\\' && quote == '"' ? read_escape() : std::string(1, c);
    }
    take();
    return text;
  }

  std::string read_escape() {
    constexpr std::string_view names = "btnfr\"\\", values = "\b\t\n\f\r\"\\";
    const char c = take();
    if (c == 'u') return read_code_point();
    const auto which = names.find(c);
    if (which == std::string_view::npos) fail("no such escape in a string (in 'single quotes' there are none)");
    return std::string(1, values[which]);
  }

  std::string read_code_point() {
    unsigned code = 0;
    const auto digits = text_.substr(std::min(at_, text_.size()), 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (error != std::errc{} || end != digits.data() + 4) fail("\\u takes four hexadecimal digits");
    at_ += 4;
    return utf8(code);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  unsigned line_ = 1;
};

}  // namespace

std::expected<std::vector<TomlEntry>, TomlError> parse_toml(std::string_view text) {
  try {
    return Reader(text).read();
  } catch (const TomlError& error) {
    return std::unexpected(error);
  }
}

}  // namespace wirespool::cli

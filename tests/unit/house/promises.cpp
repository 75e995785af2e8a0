// SPDX-License-Identifier: BSD-3-Clause
#include "unit/house/promises.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

namespace wirespool::test {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view unheld = "## Held by no test";

struct Row {
  std::size_t line = 0;
  bool held = true;  // else it says why no test holds it
  std::vector<std::string> cells;
};

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  for (auto at = line.find('|'); at != line.npos;) {
    const auto next = line.find('|', at + 1);
    if (next == line.npos) break;
    cells.push_back(trimmed(line.substr(at + 1, next - at - 1)));
    at = next;
  }
  return cells;
}

// Rows of all tables, without their heads.
std::vector<Row> rows_of(std::string_view page) {
  std::vector<Row> rows;
  std::istringstream stream{std::string(page)};
  std::size_t number = 0;
  bool held = true, body = false;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line == unheld) held = false;
    const bool row = line.starts_with('|');
    if (row && body) rows.push_back({number, held, cells_of(line)});
    body = row && (body || line.starts_with("|---"));
  }
  return rows;
}

// The C++ literal that begins at `at`, which is moved behind it.
std::string literal(std::string_view text, std::size_t& at) {
  std::string value;
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
    value += text[at];
  }
  ++at;
  return value;
}

std::vector<std::string> names_in_cpp(std::string_view text) {
  std::vector<std::string> names;
  for (auto at = text.find("TEST_CASE"); at != text.npos; at = text.find("TEST_CASE", at)) {
    at = text.find('"', at);
    if (at == text.npos) break;
    std::string name;
    while (at < text.size() && text[at] == '"') {
      name += literal(text, at);
      at = std::min(text.find_first_not_of(" \n", at), text.size());
    }
    names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> names_in_script(std::string_view text) {
  std::vector<std::string> names;
  for (const std::string_view word :
       std::array{"expect \"", "same \"", "says \"", "pass \"", "what=\"", "count_fail \""}) {
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at)) {
      at += word.size();
      names.emplace_back(text.substr(at, text.find('"', at) - at));
    }
  }
  return names;
}

// Of unittest's methods.
std::vector<std::string> names_in_python(std::string_view text) {
  constexpr std::string_view word = "def test_";
  std::vector<std::string> names;
  for (auto at = text.find(word); at != text.npos; at = text.find(word, at + 1))
    names.emplace_back(text.substr(at + 4, text.find('(', at) - at - 4));
  return names;
}

// `file` "name", "name"; `file` "name": pairs of them, and whether any name stands in front of the first file.
struct Quoted {
  std::vector<std::pair<std::string, std::string>> tests;
  bool in_order = true;
};

Quoted quoted_in(std::string_view cell) {
  Quoted quoted;
  std::string file;
  for (std::size_t at = 0; at < cell.size(); ++at) {
    if (cell[at] != '`' && cell[at] != '"') continue;
    const auto end = cell.find(cell[at], at + 1);
    if (end == cell.npos) return {quoted.tests, false};
    const auto text = std::string(cell.substr(at + 1, end - at - 1));
    if (cell[at] == '`')
      file = text;
    else
      quoted.tests.emplace_back(file, text);
    quoted.in_order &= !file.empty();
    at = end;
  }
  return quoted;
}

bool has_heading(std::string_view readme, const std::string& heading) {
  std::istringstream stream{std::string(readme)};
  for (std::string line; std::getline(stream, line);)
    if (line.starts_with('#') && trimmed(line.substr(std::min(line.find(' '), line.size()))) == heading) return true;
  return false;
}

class Checker {
 public:
  explicit Checker(const ReadFile& read) : read_(read), readme_(read("README.md")) {}

  Findings check(const Row& row) {
    Findings findings;
    const auto add = [&](const std::string& what) {
      findings.push_back("tests/PROMISES.md:" + std::to_string(row.line) + ": " + what);
    };
    if (row.cells.size() != 3 || std::ranges::count(row.cells, "") > 0) {
      add("a row has a promise, a section of README, and tests or a reason");
      return findings;
    }
    if (!has_heading(readme_, row.cells[1])) add("README.md has no section '" + row.cells[1] + "'");
    if (!row.held) return findings;
    const auto quoted = quoted_in(row.cells[2]);
    if (quoted.tests.empty() || !quoted.in_order) add("no test is named as `file` \"name\"");
    for (const auto& [file, name] : quoted.tests)
      if (!has_test(file, name)) add(file + " has no test \"" + name + "\"");
    return findings;
  }

 private:
  bool has_test(const std::string& file, const std::string& name) {
    auto known = names_.find(file);
    if (known == names_.end()) known = names_.emplace(file, names_of_tests(file, read_(file))).first;
    return std::ranges::find(known->second, name) != known->second.end();
  }

  const ReadFile& read_;
  std::string readme_;
  std::map<std::string, std::vector<std::string>> names_;
};

}  // namespace

std::vector<std::string> names_of_tests(const fs::path& file, std::string_view text) {
  if (file.extension() == ".cpp") return names_in_cpp(text);
  return file.extension() == ".py" ? names_in_python(text) : names_in_script(text);
}

Findings check_promises(std::string_view page, const ReadFile& read) {
  Findings all;
  Checker checker(read);
  for (const auto& row : rows_of(page))
    for (auto& finding : checker.check(row)) all.push_back(std::move(finding));
  return all;
}

std::size_t count_promises(std::string_view page) {
  return static_cast<std::size_t>(std::ranges::count(rows_of(page), true, &Row::held));
}

}  // namespace wirespool::test

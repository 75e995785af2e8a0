// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "options/documents.hpp"
#include "wirespool/version.hpp"

namespace wirespool::cli {
namespace {

enum class Format { man, markdown };

struct Request {
  std::string command;
  Format format = Format::man;
};

options::Table<Request> make_table() {
  options::Table<Request> table({.command = "manual",
                                 .summary = "Prints the manual page of wirespool or of one of its commands.",
                                 .examples = {{"wirespool manual capture | man -l -", "where no man page is installed"},
                                              {"wirespool manual --format markdown", "all options, as in README.md"}}});
  table.operand("COMMAND", &Request::command, "which command").without("wirespool itself; all with markdown");
  table.choice("--format", &Request::format, {{"man", Format::man}, {"markdown", Format::markdown}},
               "source for man(1), or tables of options");
  return table;
}

std::string manual(const std::vector<options::Chapter>& chapters, const Request& request) {
  const options::Edition edition{std::string(version), std::string(exit_codes)};
  if (request.format == Format::man) {
    return request.command.empty() ? options::man_page_of_all(chapters, summary, edition)
                                   : options::man_page(chapters.front(), edition);
  }
  std::string text;
  for (const auto& chapter : chapters) {
    for (const auto& page : chapter.pages) text += (text.empty() ? "" : "\n") + options::markdown(page);
  }
  return text;
}

int run(const Request& request) {
  auto all = chapters();
  if (!request.command.empty()) {
    std::erase_if(all, [&](const options::Chapter& chapter) { return chapter.name != request.command; });
  }
  if (all.empty()) return finish(refusal({request.command, "unknown command", "see wirespool --help"}));
  return print(manual(all, request));
}

}  // namespace

std::vector<options::Page> manual_pages() { return {make_table().page()}; }

int cmd_manual(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli

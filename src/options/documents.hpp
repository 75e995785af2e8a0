// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "options/page.hpp"

namespace wirespool::options {

// A command as documents know it: with one page, or with one for each of its verbs.
struct Chapter {
  std::string_view name;   // "capture"
  std::string_view title;  // half a sentence
  std::vector<Page> pages;
};

// README's chapter of a page: a heading, the usage, a table of the options.
std::string markdown(const Page& page);

// What every man page says in its header and footer.
struct Edition {
  std::string version;
  std::string exit_codes;  // whole sentences
};

// man-pages(7): source of wirespool-NAME(1), for man(1), groff and mandoc.
std::string man_page(const Chapter& chapter, const Edition& edition);

// wirespool(1): what all commands are.
std::string man_page_of_all(const std::vector<Chapter>& chapters, std::string_view summary, const Edition& edition);

// Scripts that complete commands, options and their values as the user types, without running the program.
std::string bash_completion(const std::vector<Chapter>& chapters);
std::string zsh_completion(const std::vector<Chapter>& chapters);
std::string fish_completion(const std::vector<Chapter>& chapters);

}  // namespace wirespool::options

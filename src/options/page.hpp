// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "options/option.hpp"

namespace wirespool::options {

struct Example {
  std::string command;
  std::string says = {};  // what it does; may be empty
};

// The description of a command, or of one verb of a command.
struct Page {
  std::string command;  // "capture", "vf create"
  std::string summary;  // whole sentences
  std::vector<Example> examples = {};
  bool takes_eal = false;             // EAL's options may stand in front of a "--"
  std::vector<Example> signals = {};  // that can be sent to it while it runs, and what each does
  std::string closing = {};           // a sentence below the examples; may be empty
  std::vector<Option> options = {};   // operands among them, in the order they are shown
};

// "wirespool extract [OPTIONS] DIR|FILE... -w OUT": with what cannot be left out.
std::string usage_of(const Page& page);

// "--rx-queues N", "-w OUT", "--strict", "DIR|FILE...".
std::string form_of(const Option& option);

// The option's help, followed by its default in brackets.
std::string help_of(const Option& option);

// The headings of the page's options, in order; one empty one if there are none.
std::vector<std::string> groups_of(const Page& page);

// How the page's sizes, rates and times are written, a sentence each.
std::vector<std::string> units_of(const Page& page);

// The text of --help, lines of at most 100 characters where words allow.
std::string help_text(const Page& page);

// Items with a blank between them, packed into lines of at most `width` characters each; a longer one has a line of its
// own. No items make no line.
std::vector<std::string> packed(const std::vector<std::string>& items, std::size_t width);

// The words of a text packed as one text whose lines, but for the first, begin with `indent` blanks. No newline at the
// end.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace wirespool::options

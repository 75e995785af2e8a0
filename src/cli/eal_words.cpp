// SPDX-License-Identifier: BSD-3-Clause
#include "cli/eal_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace wirespool::cli {

SplitArgs split_at_dashes(const Args& args) {
  const auto dashes = std::ranges::find(args, "--");
  if (dashes == args.end()) return {{}, args};
  return {{args.begin(), dashes}, {std::next(dashes), args.end()}};
}

// Single letters are EAL's in front of the "--": some of ours are the same.
std::optional<Error> wrong_order(const Args& eal, const options::Page& page) {
  for (const auto& arg : eal) {
    const auto name = arg.substr(0, arg.find('='));
    if (!name.starts_with("--")) continue;
    const bool ours =
        name == "--help" || std::ranges::find(page.options, name, &options::Option::name) != page.options.end();
    if (ours)
      return Error{name, fmt::format("is the {}'s own option, not EAL's", page.command), "put it behind the --"};
  }
  return std::nullopt;
}

}  // namespace wirespool::cli

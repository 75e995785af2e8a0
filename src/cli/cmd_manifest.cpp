// SPDX-License-Identifier: BSD-3-Clause
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "tools/manifest.hpp"

namespace wirespool::cli {
namespace {

struct Request {
  std::vector<std::string> places;
};

options::Table<Request> make_table() {
  options::Table<Request> table(
      {.command = "manifest",
       .summary = "Prints the SHA-256 of every file of captures, as sha256sum -c checks it: sealed files, indices, "
                  "ledgers, capture.json. The last line, a comment, is the SHA-256 of all other lines that are no "
                  "comment. Exit 1 if a file could not be read.",
       .examples = {{"wirespool manifest /data/nvme0 /data/nvme1 > capture.sha256", "sign it with any tool"},
                    {"sha256sum -c capture.sha256", "nothing was touched since"},
                    {"grep -v '^#' capture.sha256 | sha256sum", "what the last line has: one sum over all"}},
       .closing = "What is being written has no sum yet: it is named on standard error and in a comment."});
  table
      .operands("DIR|FILE", &Request::places, "output directories of captures, or capture files",
                options::Offers::files)
      .needed();
  return table;
}

int run(const Request& request) {
  const auto manifest = tools::make_manifest(request.places);
  if (!manifest) return print_error(manifest.error());
  print_notices(manifest->notices);
  for (const auto& line : manifest->left_out) print_notices({line + ": left out"});
  const auto exit_code = manifest->problems.empty() ? Exit::done : Exit{print_errors(manifest->problems)};
  return print(tools::render_text(*manifest), exit_code);
}

}  // namespace

std::vector<options::Page> manifest_pages() { return {make_table().page()}; }

int cmd_manifest(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli

// SPDX-License-Identifier: BSD-3-Clause
#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "options/documents.hpp"

namespace wirespool::cli {
namespace {

enum class Shell { bash, zsh, fish };

struct Request {
  Shell shell = Shell::bash;
};

options::Table<Request> make_table() {
  options::Table<Request> table(
      {.command = "completion",
       .summary = "Prints the script with which a shell completes wirespool's commands, options and their values. An "
                  "installed wirespool has it in place already.",
       .examples = {{"source <(wirespool completion bash)", "for this shell"},
                    {"wirespool completion zsh >~/.zfunc/_wirespool"},
                    {"wirespool completion fish >~/.config/fish/completions/wirespool.fish"}}});
  table
      .choice("SHELL", &Request::shell, {{"bash", Shell::bash}, {"zsh", Shell::zsh}, {"fish", Shell::fish}},
              "bash, zsh or fish")
      .needed();
  return table;
}

int run(const Request& request) {
  const auto all = chapters();
  switch (request.shell) {
    case Shell::bash:
      return print(options::bash_completion(all));
    case Shell::zsh:
      return print(options::zsh_completion(all));
    case Shell::fish:
      return print(options::fish_completion(all));
  }
  return Exit::done;
}

}  // namespace

std::vector<options::Page> completion_pages() { return {make_table().page()}; }

int cmd_completion(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli

// SPDX-License-Identifier: BSD-3-Clause
#include <charconv>
#include <csignal>
#include <string>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "cli/traffic_options.hpp"
#include "traffic/run.hpp"

namespace wirespool::cli {
namespace {

using traffic::Application;

traffic::StopFlag stop_asked{false};  // lock-free: a signal handler may set it (signal-safety(7))

void ask_to_stop(int) { stop_asked = true; }

int run(const traffic::Request& request) {
  if (const auto problems = traffic::problems_of(request); !problems.empty()) return print_errors(problems);
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
  (void)std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is an error of write(2)
  auto out = storage::Speaker::standard_output();
  const auto outcome = traffic::run_over_sockets(request, out, stop_asked);
  print_notices(outcome.notices);
  return outcome.problems.empty() ? Exit::done : print_errors(outcome.problems);
}

int command(Application application, const Args& args) {
  return with_args(traffic_table(application), args, [application](traffic::Request request) {
    request.application = application;
    return run(request);
  });
}

std::vector<options::Page> pages(Application application) { return {traffic_table(application).page()}; }

}  // namespace

std::vector<options::Page> send_pages() { return pages(Application::send); }
std::vector<options::Page> recv_pages() { return pages(Application::recv); }
std::vector<options::Page> client_pages() { return pages(Application::client); }
std::vector<options::Page> clientst_pages() { return pages(Application::clientst); }
std::vector<options::Page> server_pages() { return pages(Application::server); }
std::vector<options::Page> forward_pages() { return pages(Application::forward); }

int cmd_send(const Args& args) { return command(Application::send, args); }
int cmd_recv(const Args& args) { return command(Application::recv, args); }
int cmd_client(const Args& args) { return command(Application::client, args); }
int cmd_clientst(const Args& args) { return command(Application::clientst, args); }
int cmd_server(const Args& args) { return command(Application::server, args); }
int cmd_forward(const Args& args) { return command(Application::forward, args); }

}  // namespace wirespool::cli

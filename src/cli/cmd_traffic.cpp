// SPDX-License-Identifier: BSD-3-Clause
#include <csignal>
#include <string>

#include "cli/commands.hpp"
#include "cli/eal_words.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "cli/traffic_options.hpp"
#include "traffic/run.hpp"

#ifdef WIRESPOOL_CAPTURE
#include "port_traffic/over_ports.hpp"
#endif

namespace wirespool::cli {
namespace {

using traffic::Application;
using traffic::Request;

traffic::StopFlag stop_asked{false};  // lock-free: a signal handler may set it (signal-safety(7))

void ask_to_stop(int) { stop_asked = true; }

void catch_stop_signals() {
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
  (void)std::signal(SIGPIPE, SIG_IGN);  // a reader that has gone is an error of write(2)
}

int tell_outcome(const traffic::Outcome& outcome) {
  print_notices(outcome.notices);
  return outcome.problems.empty() ? Exit::done : print_errors(outcome.problems);
}

int over_sockets(const Request& request) {
  catch_stop_signals();
  auto out = storage::Speaker::standard_output();
  return tell_outcome(traffic::run_over_sockets(request, out, stop_asked));
}

#ifdef WIRESPOOL_CAPTURE

int over_ports(const Request& request, const Args& eal_args) {
  catch_stop_signals();
  auto out = storage::Speaker::standard_output();
  auto err = storage::Speaker::standard_error();
  return tell_outcome(port_traffic::run_over_ports(request, eal_args, out, err, stop_asked));
}

#else

int over_ports(const Request& request, const Args&) {
  return print_error({traffic::full_name(request), "this wirespool was built without DPDK",
                      "build it with -Dcapture=enabled", Error::Kind::not_ready});
}

#endif

int command(Application application, const Args& args) {
  return with_args(traffic_table(application, false), args, [application](Request request) {
    request.application = application;
    if (const auto problems = traffic::problems_of(request); !problems.empty()) return print_errors(problems);
    return over_sockets(request);
  });
}

int dpdk_command(Application application, const Args& args) {
  const auto table = traffic_table(application, true);
  const auto [eal, own] = split_at_dashes(args);
  if (const auto wrong = wrong_order(eal, table.page())) return print_error(*wrong);
  return with_args(table, own, [application, &eal = eal](Request request) {
    request.application = application;
    request.on_ports = true;
    if (const auto problems = traffic::problems_of(request); !problems.empty()) return print_errors(problems);
    return over_ports(request, eal);
  });
}

std::vector<options::Page> pages(Application application, bool on_ports) {
  return {traffic_table(application, on_ports).page()};
}

}  // namespace

std::vector<options::Page> send_pages() { return pages(Application::send, false); }
std::vector<options::Page> recv_pages() { return pages(Application::recv, false); }
std::vector<options::Page> client_pages() { return pages(Application::client, false); }
std::vector<options::Page> clientst_pages() { return pages(Application::clientst, false); }
std::vector<options::Page> server_pages() { return pages(Application::server, false); }
std::vector<options::Page> forward_pages() { return pages(Application::forward, false); }
std::vector<options::Page> dpdk_send_pages() { return pages(Application::send, true); }
std::vector<options::Page> dpdk_recv_pages() { return pages(Application::recv, true); }
std::vector<options::Page> dpdk_client_pages() { return pages(Application::client, true); }
std::vector<options::Page> dpdk_clientst_pages() { return pages(Application::clientst, true); }
std::vector<options::Page> dpdk_server_pages() { return pages(Application::server, true); }
std::vector<options::Page> dpdk_forward_pages() { return pages(Application::forward, true); }

int cmd_send(const Args& args) { return command(Application::send, args); }
int cmd_recv(const Args& args) { return command(Application::recv, args); }
int cmd_client(const Args& args) { return command(Application::client, args); }
int cmd_clientst(const Args& args) { return command(Application::clientst, args); }
int cmd_server(const Args& args) { return command(Application::server, args); }
int cmd_forward(const Args& args) { return command(Application::forward, args); }
int cmd_dpdk_send(const Args& args) { return dpdk_command(Application::send, args); }
int cmd_dpdk_recv(const Args& args) { return dpdk_command(Application::recv, args); }
int cmd_dpdk_client(const Args& args) { return dpdk_command(Application::client, args); }
int cmd_dpdk_clientst(const Args& args) { return dpdk_command(Application::clientst, args); }
int cmd_dpdk_server(const Args& args) { return dpdk_command(Application::server, args); }
int cmd_dpdk_forward(const Args& args) { return dpdk_command(Application::forward, args); }

}  // namespace wirespool::cli

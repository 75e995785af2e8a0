// SPDX-License-Identifier: BSD-3-Clause
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "cli/commands.hpp"
#include "cli/confinement.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "machine/sandbox.hpp"
#include "machine/service_manager.hpp"
#include "plan/listen_address.hpp"
#include "serve/spool_service.hpp"
#include "tools/keep.hpp"

namespace wirespool::cli {
namespace {

constexpr auto longest_stop = std::chrono::seconds(10);

using Request = serve::SpoolServiceOptions;

options::Parsed<Request::PcapOverIpAt> parse_pcap_over_ip(const std::string& text) {
  const auto comma = text.find(',');
  const auto address = plan::parse_listen_address(text.substr(0, comma));
  if (!address) return std::unexpected(address.error());
  if (comma == std::string::npos) return Request::PcapOverIpAt{*address, false};
  if (text.substr(comma) != ",from=now") return std::unexpected("behind the address only ',from=now' is known");
  return Request::PcapOverIpAt{*address, true};
}

options::Table<Request> make_table() {
  options::Table<Request> table(
      {.command = "serve",
       .summary =
           "Answers queries over HTTP from the sealed files of captures, running ones too: lists, ledgers, "
           "packets as pcap or pcapng. It only reads, unless --allow-keep lets clients pin files, so that a capture "
           "beside it does not notice. It writes a line about each query to standard error. SIGTERM ends it.",
       .examples = {{"wirespool serve /data/nvme0 /data/nvme1", "for programs of this machine"},
                    {"curl -fG http://127.0.0.1:8080/api/extract -d from=-10m --data-urlencode 'filter=host 10.1.2.3' "
                     "| tcpdump -nr -",
                     "what one host did in the last ten minutes"},
                    {"wirespool serve /data/nvme0 --pcap-over-ip 127.0.0.1:57012,from=now", "and for Wireshark, live"},
                    {"wireshark -k -i TCP@127.0.0.1:57012"}}});
  table
      .operands(
          "DIR", &Request::directories,
          "output directories of captures; besides these, the archives that files of theirs were moved to are read",
          options::Offers::directories)
      .needed();
  table.parsed(
      "--listen", "ADDR:PORT", &Request::listen, plan::parse_listen_address,
      "where to listen; :PORT is 127.0.0.1:PORT; from elsewhere it is reached by TLS, with tokens or certificates");
  table
      .text("--tls-cert", "FILE", &Request::tls_cert, "PEM file of the certificate, with its chain: HTTPS",
            options::Offers::files)
      .without("HTTP");
  table
      .text("--tls-key", "FILE", &Request::tls_key, "PEM file of its key, which others may not read",
            options::Offers::files)
      .without("none");
  table
      .text("--token-file", "FILE", &Request::token_file,
            "who asks shows a token of this file (Authorization: Bearer), which has one a line", options::Offers::files)
      .without("none");
  table
      .text("--client-ca", "FILE", &Request::client_ca, "who asks shows a certificate that this CA signed",
            options::Offers::files)
      .without("none");
  table
      .parsed("--pcap-over-ip", "ADDR:PORT[,from=now]", &Request::pcap_over_ip, parse_pcap_over_ip,
              "who connects there, from this machine, is sent all that is stored as pcap, then what is stored while it "
              "stays; or only that")
      .without("no");
  table.flag("--allow-keep", &Request::allow_keep,
             "who asks may pin files and release them, as `wirespool keep` does; else nothing can be changed");
  table.whole("--clients", &Request::clients, "connections that are served at a time, of each kind; others wait")
      .in(1, 1024);
  table.whole("--queries", &Request::queries, "of these, how many may have packets read; more are refused (503)")
      .in(1, 1024);
  table.time("--time-limit", &Request::time_limit_ns, "the longest that a request and its answer may take")
      .in(1'000'000, 1'000'000'000ULL * 3600 * 24 * 365);
  table.size("--size-limit", &Request::size_limit, "the most that one answer may have of packets")
      .at_least(1)
      .without("none");
  return table;
}

// All signals that end it are waited for by the main thread; its other threads have none.
sigset_t block_endings() {
  sigset_t endings;
  ::sigemptyset(&endings);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&endings, signal);
  ::pthread_sigmask(SIG_BLOCK, &endings, nullptr);
  (void)std::signal(SIGPIPE, SIG_IGN);
  return endings;
}

// Packets come from the network, and requests do: neither gets a program or a new connection out of this process.
void enter_sandbox(machine::FilesLeft files) {
  if (!machine::has_sandbox()) return;
  if (const auto done = machine::confine(files, machine::Network::open_sockets); !done)
    tell(error_line("serve", done.error().message(), "files are read without a sandbox"));
}

// Whoever mistyped one is told at once, and not each client later.
std::optional<Error> unreadable_directory(const std::vector<std::string>& directories) {
  for (const auto& directory : directories) {
    std::error_code error;
    const std::filesystem::directory_iterator first(directory, error);
    if (error) return Error{directory, error.message(), "give output directories of captures"};
  }
  return std::nullopt;
}

int run(const Request& request) {
  if (auto wrong = unreadable_directory(request.directories)) return print_error(*wrong);
  if (request.allow_keep) {
    const auto places = tools::places_of_pins(request.directories);
    if (!places) return print_error(places.error());
    write_only_in("serve", *places);
  }
  const auto endings = block_endings();
  const auto manager = machine::ServiceManager::from_environment();
  auto log = storage::Speaker::standard_error();
  auto service = serve::bind_spool_service(request, log);
  if (!service) return print_error(service.error());
  enter_sandbox(request.allow_keep ? machine::FilesLeft::write : machine::FilesLeft::read);
  if (const auto started = (*service)->start(); !started) return print_error(started.error());
  if (request.pcap_over_ip) tell(error_line("serve", "pcap-over-IP at " + request.pcap_over_ip->address));
  tell(error_line("serve", "listening at " + request.listen));
  manager.tell("READY=1");
  int signal = 0;
  while (::sigwait(&endings, &signal) != 0) {
  }
  manager.tell("STOPPING=1");
  const bool ended = (*service)->end(longest_stop);
  log.finish(std::chrono::milliseconds(500));
  tell(error_line("serve", ended ? "ended" : "ended while reads of a drive hang"));
  if (!ended) std::_Exit(Exit::done);  // what hangs uses all this
  return Exit::done;
}

}  // namespace

std::vector<options::Page> serve_pages() { return {make_table().page()}; }

int cmd_serve(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli

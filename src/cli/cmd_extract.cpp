// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/confinement.hpp"
#include "cli/errors.hpp"
#include "cli/extraction.hpp"
#include "cli/parse.hpp"
#include "cli/probes.hpp"
#include "tools/extract.hpp"
#include "tools/terminal.hpp"

namespace wirespool::cli {
namespace {

using Request = Extraction;

options::Page about() {
  return {.command = "extract",
          .summary = "Writes one time-ordered stream out of all files of all drives, writers and queues.",
          .examples = {
              {"wirespool extract /data/nvme0 /data/nvme1 -w all.pcap", "everything, in order of time"},
              {"wirespool extract /data/nvme* --from -10m --filter 'host 10.1.2.3 and port 443' -w - | tcpdump -nr -",
               "what one host did in the last ten minutes"},
              {"wirespool extract /data/nvme0 --from 2026-11-21T07:54:30Z --to 2026-11-21T07:54:31Z -w second.pcap"},
              {"wirespool extract /data/nvme0 --flow '10.0.0.1:443 <> 10.0.0.2:51000' --inner -w flow.pcap",
               "both directions of a connection, in tunnels too"},
              {"wirespool extract /data/nvme0 --filter 'port 53' -w dns.pcap --filter 'port 443' -w tls.pcap",
               "two files in one pass"},
              {"wirespool extract /data/nvme0 --follow --from -1s --filter 'port 53' -w - | tcpdump -nr -",
               "what a running capture stores of it, as it does"},
              {"wirespool extract https://probe-a:8443 https://probe-b:8443 /data/nvme0 --token-file token --ca ca.pem "
               "--filter 'host 10.1.2.3' -w fleet.pcap",
               "what two other machines and this one have, as one stream"},
              {"wirespool extract /data/nvme0 --split-time 1m -w all.pcap",
               "all_00000_20261121075430.pcap and so on, a minute each"}}};
}

options::Parsed<format::Slice> parse_slice(const std::string& text) {
  const auto slice = format::slice_of(text);
  if (!slice) return std::unexpected(std::string("l2, l3, l4 or a number of bytes"));
  return *slice;
}

options::Table<Request> make_table() {
  options::Table<Request> table(about());
  table
      .operands("DIR|FILE|URL", &Request::places,
                "output directories of captures, capture files (pcap, pcapng; - is standard input), or wirespool serve "
                "elsewhere: https://HOST:PORT",
                options::Offers::files)
      .needed();
  table
      .texts("-w", "OUT", &Request::outputs, "where to write to; - is standard output; several want a --filter each",
             options::Offers::files)
      .needed();
  add_from_and_to(table, &Request::from, &Request::to);
  table
      .texts("--filter", "EXPR", &Request::filters,
             "pcap-filter(7) expression; of several, each belongs to the -w of its turn")
      .without("none");
  table
      .text("--flow", "FLOW", &Request::flow,
            "only 'A:PORT > B:PORT' of TCP, UDP or SCTP, or '<>' for both directions; IPv6 as [A]:PORT")
      .without("all");
  table
      .text("--community-id", "ID", &Request::community_id,
            "only the flow that other tools call so (version 1, seed 0), both directions")
      .without("all");
  table.flag("--inner", &Request::inner,
             "--filter, --flow and --community-id also look into GRE, VXLAN, Geneve, GTP-U, MPLS, PPPoE and IP in IP");
  table.whole("--packets", &Request::packets, "end after that many, in each output").without("all");
  table
      .size("--split-size", &Request::split_bytes,
            "go on in a new file before one gets longer: NAME_00000_20261121075430.EXT and so on")
      .at_least(1)
      .without("one file");
  table.time("--split-time", &Request::split_ns, "go on in a new file after so long, by the packets' time; named alike")
      .at_least(1)
      .without("one file");
  table
      .parsed(
          "--slice", "l2|l3|l4|N", &Request::slice, parse_slice,
          "of each packet only its headers up to that layer, inside tunnels, or N bytes; its length stays what it was")
      .without("whole");
  table.choice("--format", &Request::format,
               {{"pcap", tools::OutputFormat::pcap}, {"pcapng", tools::OutputFormat::pcapng}}, "both with nanoseconds");
  table.flag(
      "--follow", &Request::follow,
      "of running captures also what they store while this runs, until they end or --to is over; Ctrl-C ends it");
  table.flag("--strict", &Request::strict,
             "exit 4 if captures know of packets that are missing in that time, or --follow was too slow");
  add_probe_access(table);
  table.flag("--no-index", &Request::use_index, "read everything, as if there were no index", false);
  return table;
}

void print_progress(const tools::ExtractProgress& progress) {
  const auto percent = progress.bytes_in_all == 0 ? 100.0
                                                  : 100.0 * static_cast<double>(progress.bytes_done) /
                                                        static_cast<double>(progress.bytes_in_all);
  tell(fmt::format("\r{:5.1f} %  {} packets ", percent, progress.packets));
}

std::atomic<bool> stop_asked{false};  // lock-free: a signal handler may set it (signal-safety(7))

void ask_to_stop(int) { stop_asked = true; }

// A second Ctrl-C ends what hangs in a write.
void catch_stop_signals(Request& request) {
  struct sigaction action {};
  action.sa_handler = ask_to_stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
  request.stop = &stop_asked;
  request.tell = [](const std::string& text) { print_notices({text}); };
}

// What a reader of a running capture may not have.
void add_following(std::vector<std::string>& notices, const tools::ExtractReport& report) {
  if (report.missed.files > 0)
    notices.push_back(fmt::format("{} files ({} bytes) were removed before they could be read: this was too slow",
                                  report.missed.files, report.missed.bytes));
  if (report.late > 0)
    notices.push_back(fmt::format("{} packets came after later ones: their drive was behind", report.late));
}

void print_counts(const tools::ExtractReport& report) {
  tell(fmt::format("\r{} packets, {} bytes                    \n", report.packets, report.bytes));
  for (const auto& output : report.outputs) {
    if (report.outputs.size() > 1 || output.files > 1)
      print_notices({fmt::format("{}: {} packets, {} files", output.path, output.packets, output.files)});
  }
}

std::optional<Error> wrong_use(const Request& request) {
  if (request.follow && std::ranges::any_of(request.places, serve::is_probe))
    return Error{"--follow", "services elsewhere are not followed", "follow there, or use their --pcap-over-ip"};
  return tools::wrong_options(request);
}

int print_report(const tools::ExtractReport& report, const Fetched& fetched, bool progress_shown,
                 const Request& request) {
  if (progress_shown) print_counts(report);
  if (request.follow && !report.ran && !request.only_faults) print_notices({"no capture runs there"});
  print_notices(report.notices);
  std::vector<std::string> following;
  add_following(following, report);
  print_notices(following);
  for (const auto& problem : report.problems) {
    tell(error_line(problem.what, problem.why, problem.what_to_do));
  }
  const auto missing = tools::render(report.missing);
  if (!missing.empty() && (report.missing.losses.sum() > 0 || !request.only_faults)) print_notices({missing});
  if (fetched.lost > 0 || !request.only_faults) print_notices(fetched.missing);
  // What could be read was written; a script must still notice that something could not.
  if (!report.problems.empty()) return Exit::wrong_use;
  const bool lost = report.missing.losses.sum() > 0 || fetched.lost > 0 || report.missed.files > 0;
  return request.strict && lost ? Exit::packets_lost : Exit::done;
}

}  // namespace

int extract(Extraction request) {
  if (std::ranges::find(request.outputs, "-") != request.outputs.end() && tools::stdout_is_terminal()) {
    tell(error_line("-w -", "standard output is a terminal", "pipe it into a program, as | tcpdump -r -"));
    return Exit::wrong_use;
  }
  const bool terminal = tools::stderr_is_terminal() && !request.only_faults;
  if (terminal) request.progress = print_progress;
  // When a reader has seen enough and closes the pipe, write(2) says so instead of a signal ending us.
  (void)std::signal(SIGPIPE, SIG_IGN);
  if (request.follow) catch_stop_signals(request);
  if (auto wrong = wrong_use(request)) return print_error(*wrong);
  const auto fetched = fetch(request, request);
  if (!fetched) return print_error(fetched.error());
  request.places = fetched->inputs.places();
  confine("extract", machine::FilesLeft::write);
  write_only_in("extract", request.outputs);
  auto report = tools::extract(request);
  if (!report) return print_error(fetched->inputs.as_given(report.error()));
  tools::name_as_given(*report, fetched->inputs);
  return print_report(*report, *fetched, terminal, request);
}

std::vector<options::Page> extract_pages() { return {make_table().page()}; }

int cmd_extract(const Args& args) { return with_args(make_table(), args, extract); }

}  // namespace wirespool::cli

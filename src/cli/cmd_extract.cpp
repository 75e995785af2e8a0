// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <csignal>
#include <expected>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "tools/extract.hpp"
#include "tools/terminal.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::cli {
namespace {

using Request = tools::ExtractOptions;

options::Page about() {
  return {.command = "extract",
          .summary = "Writes one time-ordered stream out of all files of all drives, writers and queues.",
          .examples = {
              {"wirespool extract /data/nvme0 /data/nvme1 -w all.pcap", "everything, in order of time"},
              {"wirespool extract /data/nvme* --from -10m --filter 'host 10.1.2.3 and port 443' -w - | tcpdump -nr -",
               "what one host did in the last ten minutes"},
              {"wirespool extract /data/nvme0 --from 2026-11-21T07:54:30Z --to 2026-11-21T07:54:31Z -w second.pcap"}}};
}

// As the tables of options want it: the error is what stands behind the option's name.
std::expected<Timestamp, std::string> parse_moment(const std::string& text, Timestamp now) {
  const auto time = parse_time(text, now);
  if (!time) return std::unexpected(time.error().what_to_do);
  return *time;
}

options::Table<Request> make_table() {
  const auto moment = [at = time_now()](const std::string& text) { return parse_moment(text, at); };
  options::Table<Request> table(about());
  table
      .operands("DIR|FILE", &Request::places,
                "output directories of captures, or capture files (pcap, pcapng); - is standard input",
                options::Offers::files)
      .needed();
  table.text("-w", "OUT", &Request::output, "where to write to; - is standard output", options::Offers::files).needed();
  table.parsed("--from", "T", &Request::from, moment, "first time: RFC 3339, seconds since the epoch, or -10m")
      .without("the first packet");
  table.parsed("--to", "T", &Request::to, moment, "time before which to end, written alike").without("the last packet");
  table.text("--filter", "EXPR", &Request::filter, "pcap-filter(7) expression").without("none");
  table.whole("--packets", &Request::packets, "end after that many").without("all");
  table.choice("--format", &Request::format,
               {{"pcap", tools::OutputFormat::pcap}, {"pcapng", tools::OutputFormat::pcapng}}, "both with nanoseconds");
  table.flag("--no-index", &Request::use_index, "read everything, as if there were no index", false);
  return table;
}

void print_progress(const tools::ExtractProgress& progress) {
  const auto percent = progress.bytes_in_all == 0 ? 100.0
                                                  : 100.0 * static_cast<double>(progress.bytes_done) /
                                                        static_cast<double>(progress.bytes_in_all);
  tell(fmt::format("\r{:5.1f} %  {} packets ", percent, progress.packets));
}

int print_report(const tools::ExtractReport& report, bool progress_shown) {
  if (progress_shown) tell(fmt::format("\r{} packets, {} bytes                    \n", report.packets, report.bytes));
  print_notices(report.notices);
  for (const auto& problem : report.problems) {
    tell(error_line(problem.what, problem.why, problem.what_to_do));
  }
  // What could be read was written; that something could not must not go unnoticed in a script.
  return report.problems.empty() ? Exit::done : Exit::wrong_use;
}

int run(Request request) {
  if (request.output == "-" && tools::stdout_is_terminal()) {
    tell(error_line("-w -", "standard output is a terminal", "pipe it into a program, as | tcpdump -r -"));
    return Exit::wrong_use;
  }
  const bool terminal = tools::stderr_is_terminal();
  if (terminal) request.progress = print_progress;
  // A reader that has seen enough closes the pipe: then write(2) says so, instead of a signal ending us.
  (void)std::signal(SIGPIPE, SIG_IGN);
  const auto report = tools::extract(request);
  return report ? print_report(*report, terminal) : print_error(report.error());
}

}  // namespace

std::vector<options::Page> extract_pages() { return {make_table().page()}; }

int cmd_extract(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli

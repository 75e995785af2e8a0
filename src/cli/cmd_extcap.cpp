// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/extraction.hpp"
#include "cli/parse.hpp"
#include "cli/probes.hpp"
#include "machine/machine_tree.hpp"
#include "tools/extcap.hpp"

namespace wirespool::cli {
namespace {

// What is read is asked of an extraction; the rest is between Wireshark and this.
struct Request : Extraction {
  Request() {
    format = tools::OutputFormat::pcapng;
    follow = only_faults = true;
  }
  bool interfaces = false, dlts = false, config = false, capture = false;
  std::string wireshark, interface, fifo, capture_filter;
};

options::Table<Request> make_table() {
  options::Table<Request> table(
      {.command = "extcap",
       .summary = "Makes Wireshark and tshark read captures as if these were interfaces (extcap(4)). They run it "
                  "themselves, by the program of that name in their extcap directory.",
       .examples = {{"tshark -i wirespool -o extcap.wirespool.spool:/data/nvme0 -f 'port 53'",
                     "what one directory has, and what comes"},
                    {"tshark -D | grep wirespool", "what there is to be read"},
                    {"wirespool extcap --extcap-interface wirespool --capture --fifo out.pcapng --spool /data/nvme0 "
                     "--follow off",
                     "as Wireshark does it"}}});
  table.group("What Wireshark asks");
  table.flag("--extcap-interfaces", &Request::interfaces,
             "list: wirespool, services with /etc/wirespool/NAME.env, running captures");
  table.text("--extcap-version", "V", &Request::wireshark, "Wireshark's; this one is said in return").without("none");
  table.text("--extcap-interface", "NAME", &Request::interface, "the one that is meant").without("none");
  table.flag("--extcap-dlts", &Request::dlts, "list its link types");
  table.flag("--extcap-config", &Request::config, "list what can be set for it");
  table
      .text("--extcap-capture-filter", "EXPR", &Request::capture_filter,
            "pcap-filter(7) expression; without --capture, what is wrong with it is said on standard output")
      .without("none");
  table.flag("--capture", &Request::capture, "write packets, as pcapng, to --fifo");
  table.text("--fifo", "FILE", &Request::fifo, "where to", options::Offers::files).without("none");
  table.group("What can be set");
  table.list("--spool", "PLACES", &Request::places, "of wirespool: directories, files, https://HOST:PORT")
      .without("none");
  add_from_and_to(table, &Request::from, &Request::to);
  table.on_off("--follow", &Request::follow,
               "of running captures also what they store while this runs; not of services elsewhere");
  table.on_off("--inner", &Request::inner, "the filter looks into tunnels too");
  add_probe_access(table);
  return table;
}

std::vector<tools::ExtcapInterface> all_interfaces() {
  return tools::extcap_interfaces(machine::look_for_captures(machine::MachineTree()));
}

std::expected<tools::ExtcapInterface, Error> find_interface(const std::string& name) {
  const auto all = all_interfaces();
  const auto found = std::ranges::find(all, name, &tools::ExtcapInterface::name);
  if (found != all.end()) return *found;
  return std::unexpected(Error{"--extcap-interface", name.empty() ? "is required" : "there is no " + name + " now",
                               "see wirespool extcap --extcap-interfaces"});
}

int capture(Request request, const tools::ExtcapInterface& interface) {
  if (request.fifo.empty()) return print_error({"--fifo", "is required", "Wireshark gives it"});
  if (!interface.places.empty() && !request.places.empty())
    return print_error({"--spool", "what " + interface.name + " reads is known", "use --extcap-interface wirespool"});
  if (!interface.places.empty()) request.places = interface.places;
  if (request.places.empty())
    return print_error({"--spool", "is required",
                        "set it to the output directories of a capture, as in tshark -o "
                        "extcap.wirespool.spool:/data/nvme0"});
  request.outputs = {request.fifo};
  if (!request.capture_filter.empty()) request.filters = {request.capture_filter};
  if (std::ranges::any_of(request.places, serve::is_probe)) request.follow = false;
  return extract(request);
}

// Wireshark waits at its pipe for somebody who opens it, and would go on to if this ended before that, whatever is
// wrong.
std::ofstream hold_pipe(const Args& args) {
  std::ofstream pipe;
  std::error_code ignored;
  const auto option = std::ranges::find(args, "--fifo");
  if (option == args.end() || option + 1 == args.end()) return pipe;
  if (std::filesystem::is_fifo(*(option + 1), ignored)) pipe.open(*(option + 1), std::ios::app);
  return pipe;
}

int run(const Request& request) {
  if (request.interfaces || (request.interface.empty() && !request.wireshark.empty()))
    return print(tools::render_extcap_version() +
                 (request.interfaces ? tools::render_extcap_interfaces(all_interfaces()) : ""));
  const auto interface = find_interface(request.interface);
  if (!interface) return print_error(interface.error());
  if (request.dlts) return print(tools::render_extcap_dlts());
  if (request.config) return print(tools::render_extcap_config(*interface));
  if (request.capture) return capture(request, *interface);
  // Wireshark reads what is wrong only from a program that ends with 0.
  if (!request.capture_filter.empty()) return print(tools::wrong_extcap_filter(request.capture_filter));
  return print_error({"extcap", "nothing was asked", "see wirespool extcap --help"});
}

}  // namespace

std::vector<options::Page> extcap_pages() { return {make_table().page()}; }

int cmd_extcap(const Args& args) {
  const auto pipe = hold_pipe(args);
  return with_args(make_table(), args, run);
}

}  // namespace wirespool::cli

// SPDX-License-Identifier: BSD-3-Clause
#include "cli/traffic_options.hpp"

#include <cmath>

#include "options/values.hpp"

namespace wirespool::cli {
namespace {

using traffic::Application;
using traffic::Request;
using Table = options::Table<Request>;

options::Parsed<double> parse_speed(const std::string& text) {
  const auto value = options::number_in<double>(text);
  if (!value || !(*value > 0) || !std::isfinite(*value))
    return std::unexpected(std::string("a number above 0, as 1, 0.5 or 10"));
  return *value;
}

options::Parsed<traffic::SizeMix> parse_sizes(const std::string& text) { return traffic::SizeMix::parse(text); }

options::Page about_sockets(Application application) {
  static const options::Page pages[] = {
      {.command = "send",
       .summary =
           "Sends UDP packets at a rate, by a socket or as raw frames, or a capture once more. A line a second: tried, "
           "sent, dropped.",
       .examples = {{"wirespool send 10.0.0.1 - 10.0.0.2 - -r 100K -p imix --duration 10s", "by a UDP socket"},
                    {"wirespool send -R veth0 10.0.0.1 - 10.0.0.2 02:00:00:00:00:02 -m -b 64",
                     "raw frames, as many as go"},
                    {"wirespool send -R veth0 --pcap trace.pcap --speed 2", "a capture, with half its gaps"},
                    {"wirespool extract /data/nvme0 --from -10m -w - | wirespool send -R veth0 --pcap -"}}},
      {.command = "recv",
       .summary = "Counts the packets of a `send`, and what is missing, came twice or out of order.",
       .examples = {{"wirespool recv 10.0.0.2 - 10.0.0.1 - --idle-exit 2s --json"}}},
      {.command = "client",
       .summary =
           "Sends packets to a `server` at a rate and measures how long each takes to come back, from when it was "
           "meant to be sent.",
       .examples = {{"wirespool client 10.0.0.1 - 10.0.0.2 - -r 1000 -b 4 --duration 10s --warmup 1s"}}},
      {.command = "clientst",
       .summary = "`client` with sending and receiving in one thread.",
       .examples = {{"wirespool clientst 10.0.0.1 - 10.0.0.2 - -r 1000 --count 10000"}}},
      {.command = "server",
       .summary = "Sends the packets of a `client` back at once.",
       .examples = {{"wirespool server 10.0.0.2 - 10.0.0.1 -"}}},
      {.command = "forward",
       .summary = "Gives every frame of one interface to another, both ways, as it is: a link of a chain.",
       .examples = {{"wirespool forward -R left -R right -m -b 32"}}},
  };
  return pages[static_cast<unsigned>(application)];
}

options::Page about_ports(Application application) {
  static const char* const link = "--vdev net_memif0,role=client,socket=/run/wire.sock,socket-abstract=no";
  const auto words = [](const char* name, const char* rest) {
    return std::string("wirespool dpdk-") + name + " -l 0-2 " + link + " -- " + rest;
  };
  switch (application) {
    case Application::send:
      return {.command = "dpdk-send",
              .summary = "`send` on a port of DPDK, polled on an lcore: packets at a rate, or a capture once more.",
              .examples = {{words("send", "10.0.0.1 - 10.0.0.2 02:00:00:00:00:02 -b 32 --duration 10s")},
                           {"wirespool dpdk-send -l 0,1 -a 0000:3b:02.0 -- --pcap trace.pcap"}}};
    case Application::recv:
      return {
          .command = "dpdk-recv",
          .summary = "`recv` on a port of DPDK.",
          .examples = {{"wirespool dpdk-recv -l 0,1 -a 0000:3b:02.1 -- 10.0.0.2 - 10.0.0.1 - -b 32 --idle-exit 2s"}}};
    case Application::client:
      return {.command = "dpdk-client",
              .summary = "`client` on a port of DPDK, one lcore sending, one receiving.",
              .examples = {{words("client", "10.0.0.1 - 10.0.0.2 02:00:00:00:00:02 -r 1000 -b 4 --duration 10s")}}};
    case Application::clientst:
      return {.command = "dpdk-clientst",
              .summary = "`client` on a port of DPDK with one lcore for both.",
              .examples = {{words("clientst", "10.0.0.1 - 10.0.0.2 02:00:00:00:00:02 -r 1000 --count 10000")}}};
    case Application::server:
      return {.command = "dpdk-server",
              .summary = "`server` on a port of DPDK.",
              .examples = {{"wirespool dpdk-server -l 0,1 -a 0000:3b:02.1 -- 10.0.0.2 - 10.0.0.1 - -b 32"}}};
    case Application::forward:
      break;
  }
  return {.command = "dpdk-forward",
          .summary = "Gives every frame of one port of DPDK to another, both ways, an lcore each: no switching.",
          .examples = {{"wirespool dpdk-forward -l 0-2 -a 0000:3b:02.0 -a 0000:3b:02.1 -- -b 32"}}};
}

options::Page about(Application application, bool on_ports) {
  if (!on_ports) return about_sockets(application);
  auto page = about_ports(application);
  page.takes_eal = true;
  return page;
}

void add_ends(Table& table, Application application, bool on_ports) {
  const bool needed = application != Application::send;
  const auto add = [&](const char* name, std::string Request::*field, const char* help) {
    auto& row = table.operand(name, field, help);
    if (needed) row.needed();
  };
  table.group("Who");
  add("LOCAL_IP", &Request::local_ip, "IPv4 address of this end");
  add("LOCAL_MAC", &Request::local_mac, "its MAC address; - is its interface's own, or on a receiving port any");
  add("REMOTE_IP", &Request::remote_ip, "IPv4 address of the other end");
  add("REMOTE_MAC", &Request::remote_mac, "its MAC address; - is any, where UDP sockets or what comes decide");
  table.whole("--port-local", &Request::port_local, "UDP port of this end").in(1, 65535).without("as published");
  table.whole("--port-remote", &Request::port_remote, "UDP port of the other end").in(1, 65535).without("as published");
  table.whole("--vlan", &Request::vlan, on_ports ? "802.1Q tag of all frames" : "802.1Q tag of all frames; with -R")
      .in(0, 4094)
      .without("none");
}

void add_packets(Table& table, Application application) {
  table.group("What");
  auto& rate = table.rate("-r", &Request::rate, "packets a second").in(0, 1'000'000'000).without("as many as go");
  rate.takes = "PPS";
  table
      .parsed("-p", "BYTES", &Request::sizes, parse_sizes,
              "bytes of each frame, without FCS; or a mix: imix, caida, LENGTH:WEIGHT,..., file:PATH")
      .without("64");
  table.whole("--flows", &Request::flows, "UDP ports from the client's or sender's own on, a burst from each in turn")
      .in(1, traffic::most_flows);
  if (application != Application::send) return;
  table
      .texts("--pcap", "FILE", &Request::pcap,
             "frames of a capture instead, whole and in order of time: files, directories of captures; - is standard "
             "input",
             options::Offers::files)
      .without("none");
  table.parsed("--speed", "X", &Request::speed, parse_speed, "its gaps divided by X; -r gives it a rate instead")
      .without("1");
}

void add_manner(Table& table, Application application, bool on_ports) {
  table.group("How");
  if (on_ports)
    table.list("--port", "ID|NAME,...", &Request::ports, "which of EAL's ports")
        .without("all, if that is as many as it takes");
  else
    table.texts("-R", "IF", &Request::interfaces, "raw frames on this interface, instead of a UDP socket")
        .without("UDP");
  table.whole("-b", &Request::burst, "most packets of a burst").in(1, traffic::most_burst);
  if (on_ports) {
    table.flag("-B", &Request::wait,
               "wait for room, and sleep until a burst is due: nothing is dropped for want of descriptors");
  } else {
    table.flag("-B", &Request::wait,
               "wait in the kernel: for room, for packets and for the next burst; nothing is polled or dropped");
    table.flag("-m", &Request::many, "a burst is one system call: sendmmsg(2), recvmmsg(2)");
  }
  if (application != Application::forward)
    table.flag("-c", &Request::check_payload, "payload is made from each packet's number, and checked");
  table.group("How long, and what is told");
  table.time("--duration", &Request::duration_ns, "how long").without("until it is stopped");
  table.whole("--count", &Request::count, "how many packets").at_least(1).without("any number");
  if (traffic::makes_packets(application)) {
    table.time("--warmup", &Request::warmup_ns, "packets are sent for so long before any is counted").without("0s");
  } else {
    table.time("--idle-exit", &Request::idle_exit_ns, "end when no packet came for so long after one did")
        .at_least(1)
        .without("off");
  }
  table.flag("-s", &Request::summary_only, "tell the end only, not each second");
  table.flag("--json", &Request::json, "JSON, an object a line");
}

}  // namespace

Table traffic_table(Application application, bool on_ports) {
  Table table(about(application, on_ports));
  if (application != Application::forward) add_ends(table, application, on_ports);
  if (traffic::makes_packets(application)) add_packets(table, application);
  add_manner(table, application, on_ports);
  return table;
}

}  // namespace wirespool::cli

// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/request.hpp"

#include <fmt/format.h>

namespace wirespool::traffic {
namespace {

constexpr std::uint16_t send_port = 13994, recv_port = 16994, client_port = 16803, server_port = 16196;

struct Ports {
  std::uint16_t local, remote;
};
constexpr Ports published_ports(Application application) {
  switch (application) {
    case Application::recv:
      return {recv_port, send_port};
    case Application::client:
    case Application::clientst:
      return {client_port, server_port};
    case Application::server:
      return {server_port, client_port};
    default:
      return {send_port, recv_port};
  }
}

using Problems = std::vector<Error>;

void check_ip(Problems& problems, const char* what, const std::string& text) {
  if (text.empty())
    problems.push_back({what, "is required", "as 10.0.0.1"});
  else if (!parse_address(text))
    problems.push_back({what, fmt::format("\"{}\" is no IPv4 address", text), "as 10.0.0.1"});
}

// Whether it can only be the loopback interface's, which has no MAC address but zeros.
bool is_loopbacks(const Request& request, const std::string& ip) {
  if (request.on_ports) return false;
  if (!request.interfaces.empty()) return request.interfaces.front() == "lo";
  return parse_address(ip).value_or(0) >> 24 == 127;
}

void check_mac(Problems& problems, const char* what, const std::string& text, bool loopback) {
  if (text.empty()) {
    problems.push_back({what, "is required", "as 02:00:00:00:00:01, or - where any will do"});
  } else if (text != "-") {
    const auto mac = parse_mac(text);
    if (!mac)
      problems.push_back({what, fmt::format("\"{}\" is no MAC address", text), "as 02:00:00:00:00:01"});
    else if (is_group(*mac))
      problems.push_back({what, fmt::format("{} is a group's address, not one interface's", text), "ip link shows it"});
    else if (is_zero(*mac) && !loopback)
      problems.push_back({what, fmt::format("{} is no interface's address", text), "ip link shows it"});
  }
}

void check_addresses(Problems& problems, const Request& request) {
  check_ip(problems, "LOCAL_IP", request.local_ip);
  check_mac(problems, "LOCAL_MAC", request.local_mac, is_loopbacks(request, request.local_ip));
  check_ip(problems, "REMOTE_IP", request.remote_ip);
  check_mac(problems, "REMOTE_MAC", request.remote_mac, is_loopbacks(request, request.remote_ip));
  if (request.makes_headers() && makes_packets(request.application) && request.remote_mac == "-")
    problems.push_back({"REMOTE_MAC", "it is put into each frame", "give the other end's"});
  if (request.vlan && !request.makes_headers())
    problems.push_back({"--vlan", "UDP sockets know no VLAN", "give -R IF"});
  const auto ends = ends_of(request);
  if (ends.local_port + request.flows > 65536)
    problems.push_back({"--flows",
                        fmt::format("port {} and {} more go beyond 65535", ends.local_port, request.flows - 1),
                        "give a lower --port-local"});
}

void check_replay(Problems& problems, const Request& request) {
  if (!request.makes_headers()) problems.push_back({"--pcap", "whole frames are sent by raw sockets", "give -R IF"});
  if (!request.local_ip.empty())
    problems.push_back({"--pcap", "frames have their addresses already", "leave LOCAL_IP and what follows out"});
  if (request.rate && request.speed) problems.push_back({"--speed", "-r gives the gaps already", "give one of them"});
  if (request.warmup_ns) problems.push_back({"--warmup", "a replay sends its frames and no others", "leave it out"});
  if (request.check_payload) problems.push_back({"-c", "a replay's payload is the capture's", "leave it out"});
  if (request.vlan) problems.push_back({"--vlan", "a replay's frames are the capture's", "leave it out"});
  if (request.flows > 1) problems.push_back({"--flows", "a replay's flows are the capture's", "leave it out"});
}

}  // namespace

std::vector<Error> problems_of(const Request& request) {
  Problems problems;
  const bool forwards = request.application == Application::forward, joins = forwards && !request.on_ports;
  if (joins && request.interfaces.size() != 2)
    problems.push_back({"-R", "two interfaces are joined", "give -R IF -R IF"});
  if (joins && request.interfaces.size() == 2 && request.interfaces[0] == request.interfaces[1])
    problems.push_back({"-R", "both interfaces are the same", "give two"});
  if (!forwards && request.interfaces.size() > 1) problems.push_back({"-R", "given more than once", "give one"});
  if (request.rate && *request.rate == 0)
    problems.push_back({"-r", "0 packets a second are none", "leave -r out to send as many as go"});
  if (request.duration_ns && *request.duration_ns == 0)
    problems.push_back(
        {"--duration", "in no time nothing is sent or received", "leave --duration out to go on until it is stopped"});
  if (request.application == Application::clientst && request.wait)
    problems.push_back({"-B", "one thread that waits for answers sends none meanwhile", "use client"});
  if (request.speed && !request.replays()) problems.push_back({"--speed", "nothing is replayed", "give --pcap FILE"});
  if (request.replays())
    check_replay(problems, request);
  else if (!forwards)
    check_addresses(problems, request);
  return problems;
}

Ends ends_of(const Request& request) {
  const auto ports = published_ports(request.application);
  return {.local_ip = parse_address(request.local_ip).value_or(0),
          .remote_ip = parse_address(request.remote_ip).value_or(0),
          .local_mac = parse_mac(request.local_mac),
          .remote_mac = parse_mac(request.remote_mac),
          .local_port = request.port_local.value_or(ports.local),
          .remote_port = request.port_remote.value_or(ports.remote),
          .vlan = request.vlan,
          .flows = request.flows};
}

}  // namespace wirespool::traffic

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "traffic/addresses.hpp"
#include "traffic/sizes.hpp"
#include "wirespool/error.hpp"

namespace wirespool::traffic {

// clientst: client in a single thread.
enum class Application { send, recv, client, clientst, server, forward };

constexpr const char* name_of(Application application) {
  constexpr const char* names[] = {"send", "recv", "client", "clientst", "server", "forward"};
  return names[static_cast<unsigned>(application)];
}
constexpr bool makes_packets(Application application) {
  return application == Application::send || application == Application::client || application == Application::clientst;
}

inline constexpr unsigned most_flows = 1000;
inline constexpr unsigned most_burst = 1024;

// What is asked of an application; fields of the command line, not yet compared with each other.
struct Request {
  Application application = Application::send;
  std::string local_ip, local_mac, remote_ip, remote_mac;  // as typed; empty: not given
  std::optional<std::uint64_t> rate;                       // packets a second; none: as many as go
  SizeMix sizes = SizeMix::only(64);                       // of frames, without FCS
  unsigned burst = 1;
  bool on_ports = false;                // of DPDK: no sockets
  std::vector<std::string> ports;       // which of them, by id or name; none: all that EAL found
  std::vector<std::string> interfaces;  // raw sockets on these; none: UDP sockets
  bool wait = false;                    // in the kernel: sends and receives block, time between bursts is slept
  bool many = false;                    // a burst is one system call
  bool check_payload = false;
  bool summary_only = false, json = false;
  std::optional<std::uint64_t> duration_ns, warmup_ns, count, idle_exit_ns;
  std::optional<std::uint16_t> port_local, port_remote, vlan;
  unsigned flows = 1;
  std::vector<std::string> pcap;  // send: files or directories to replay
  std::optional<double> speed;    // of a replay: 2 halves its gaps

  bool replays() const { return !pcap.empty(); }
  bool makes_headers() const { return on_ports || !interfaces.empty(); }  // else the kernel does
};

// "send", "dpdk-send".
inline std::string full_name(const Request& request) {
  return (request.on_ports ? "dpdk-" : "") + std::string(name_of(request.application));
}

// The two ends as frames have them. A MAC address that was given as "-" is nothing.
struct Ends {
  std::uint32_t local_ip = 0, remote_ip = 0;  // host order
  std::optional<Mac> local_mac, remote_mac;
  std::uint16_t local_port = 0, remote_port = 0;
  std::optional<std::uint16_t> vlan;
  unsigned flows = 1;  // flow f has the sender's UDP port + f
};

// All that is wrong with the request, so far as it can be told without a socket.
std::vector<Error> problems_of(const Request& request);

// The ends of a request without problems: UDP ports get their published numbers where none were given.
Ends ends_of(const Request& request);

}  // namespace wirespool::traffic

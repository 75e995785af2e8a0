// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <expected>
#include <thread>
#include <utility>

#include "traffic/raw_wire.hpp"
#include "traffic/run.hpp"
#include "traffic/udp_wire.hpp"

namespace wirespool::traffic {
namespace {

using Wires = std::vector<std::unique_ptr<Wire>>;

class Threads : public Workers {
 public:
  void start(std::function<void()> job) override { threads_.emplace_back(std::move(job)); }
  void wait() override { threads_.clear(); }

 private:
  std::vector<std::jthread> threads_;
};

// What was not given as an address is the interface's own; what was given and is another is told.
void settle_mac(Ends& ends, const Interface& interface, std::vector<std::string>& notices) {
  if (!ends.local_mac) ends.local_mac = interface.mac;
  if (*ends.local_mac != interface.mac)
    notices.push_back(fmt::format("LOCAL_MAC {} is not that of {}, {}: frames to it come only if {} is promiscuous",
                                  text_of(*ends.local_mac), interface.name, text_of(interface.mac), interface.name));
}

std::expected<Wires, Error> open_wires(const Request& request, Ends& ends, std::vector<std::string>& notices) {
  const SocketManner manner{request.burst, request.many, request.wait};
  Wires wires;
  if (request.interfaces.empty()) {
    const bool sender = makes_packets(request.application);
    auto wire = UdpWire::open(ends, sender ? ends.flows : 1, manner, sender);
    if (!wire) return std::unexpected(wire.error());
    wires.push_back(std::move(*wire));
    return wires;
  }
  const bool forwards = request.application == Application::forward;
  for (const auto& name : request.interfaces) {
    auto wire = RawWire::open(name, manner,
                              {.receives = request.application != Application::send,
                               .everything = forwards,
                               .tagged = request.vlan || forwards || request.replays()});
    if (!wire) return std::unexpected(wire.error());
    if (!forwards && !request.replays()) settle_mac(ends, (*wire)->interface(), notices);
    wires.push_back(std::move(*wire));
  }
  return wires;
}

}  // namespace

Outcome run_over_sockets(const Request& request, storage::Speaker& out, const StopFlag& stop) {
  std::vector<std::string> notices;
  auto ends = ends_of(request);
  auto wires = open_wires(request, ends, notices);
  if (!wires) return {{wires.error()}, {}};
  Threads threads;
  auto outcome = run_on_wires(request, ends, *wires, threads, out, stop);
  outcome.notices.insert(outcome.notices.begin(), notices.begin(), notices.end());
  return outcome;
}

}  // namespace wirespool::traffic

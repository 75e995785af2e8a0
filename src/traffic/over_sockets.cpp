// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <expected>
#include <optional>
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

// What was not given as an address is the interface's own. Another one is meant only where the interface was made to
// take frames for it: else switches would learn an address that nobody has, and what comes back be lost.
std::optional<Error> settle_mac(Ends& ends, const Interface& interface) {
  if (!ends.local_mac) ends.local_mac = interface.mac;
  if (*ends.local_mac == interface.mac || interface.promiscuous) return std::nullopt;
  return Error{
      "LOCAL_MAC", fmt::format("{} has {}, not {}", interface.name, text_of(interface.mac), text_of(*ends.local_mac)),
      fmt::format("give that, or - for its own; if another is meant: ip link set {} promisc on", interface.name)};
}

std::expected<Wires, Error> open_wires(const Request& request, Ends& ends) {
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
    if (!forwards && !request.replays())
      if (auto other = settle_mac(ends, (*wire)->interface())) return std::unexpected(std::move(*other));
    wires.push_back(std::move(*wire));
  }
  return wires;
}

}  // namespace

Outcome run_over_sockets(const Request& request, storage::Speaker& out, const StopFlag& stop) {
  auto ends = ends_of(request);
  auto wires = open_wires(request, ends);
  if (!wires) return {{wires.error()}, {}};
  Threads threads;
  return run_on_wires(request, ends, *wires, threads, out, stop);
}

}  // namespace wirespool::traffic

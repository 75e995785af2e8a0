// SPDX-License-Identifier: BSD-3-Clause
#include "port_traffic/over_ports.hpp"

#include <fmt/format.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <expected>
#include <list>
#include <utility>

#include "dpdk/eal.hpp"
#include "dpdk/probe.hpp"
#include "plan/eal_args.hpp"
#include "plan/hugepages.hpp"
#include "port_traffic/port_wire.hpp"

namespace wirespool::port_traffic {
namespace {

using traffic::Application;
using traffic::Outcome;
using traffic::Request;
using Problems = std::vector<Error>;
using Wires = std::vector<std::unique_ptr<PortWire>>;

constexpr std::uint64_t second_ns = 1'000'000'000, look_ns = 10'000'000;
constexpr std::uint64_t link_patience_ns = 30 * second_ns;
// What the other end of a memif or vhost link has not taken goes with the link: it is given this long.
constexpr std::uint64_t last_frames_ns = second_ns / 2;
constexpr unsigned mbufs = 8191, mempool_cache = 256, wanted_desc = 1024;

unsigned ports_needed(Application application) { return application == Application::forward ? 2 : 1; }
unsigned lcores_needed(Application application) {
  return application == Application::forward || application == Application::client ? 2 : 1;
}

// Jobs on EAL's worker lcores, one each.
class Lcores : public traffic::Workers {
 public:
  void start(std::function<void()> job) override {
    next_ = rte_get_next_lcore(next_, 1, 0);
    jobs_.push_back(std::move(job));
    rte_eal_remote_launch(run, &jobs_.back(), next_);
  }
  void wait() override { rte_eal_mp_wait_lcore(); }

 private:
  static int run(void* job) {
    (*static_cast<std::function<void()>*>(job))();
    return 0;
  }
  std::list<std::function<void()>> jobs_;
  unsigned next_ = ~0u;  // none yet: rte_get_next_lcore counts on from it
};

std::optional<Error> check_lcores(const Request& request) {
  const unsigned workers = rte_lcore_count() - 1, needed = lcores_needed(request.application);
  if (workers >= needed) return std::nullopt;
  return Error{"lcores",
               fmt::format("{} polls on {} of them beside the main one, and EAL has {}", traffic::full_name(request),
                           needed, workers),
               fmt::format("give EAL -l 0-{}", needed)};
}

std::string names_of(const plan::Machine& machine) {
  std::string text;
  for (const auto& port : machine.ports) text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", port.id, port.name);
  return text.empty() ? "none" : text;
}

std::expected<std::vector<plan::MachinePort>, Error> choose(const Request& request, const plan::Machine& machine) {
  const auto needed = ports_needed(request.application);
  std::vector<plan::MachinePort> chosen;
  for (const auto& asked : request.ports) {
    const auto found = std::ranges::find_if(machine.ports, [&](const plan::MachinePort& port) {
      return port.name == asked || std::to_string(port.id) == asked;
    });
    if (found == machine.ports.end())
      return std::unexpected(
          Error{"--port", fmt::format("EAL found no port {}", asked), "it has " + names_of(machine)});
    chosen.push_back(*found);
  }
  if (request.ports.empty()) chosen = machine.ports;
  if (chosen.size() == needed) return chosen;
  return std::unexpected(Error{"--port",
                               fmt::format("{} takes {} of the ports that there are: {}", traffic::full_name(request),
                                           needed, names_of(machine)),
                               "give EAL -a PCI or --vdev NAME,..., or choose by --port", Error::Kind::not_ready});
}

plan::PlannedPort planned(const Request& request, const plan::MachinePort& port) {
  plan::PlannedPort result;
  result.id = port.id;
  result.name = port.name;
  result.driver = port.driver;
  result.numa_node = port.numa_node;
  result.rx_queues = 1;
  result.tx_queues = 1;
  result.sends = request.application != Application::recv;
  result.rx_desc = std::clamp(wanted_desc, port.min_rx_desc, port.max_rx_desc);
  result.tx_desc = wanted_desc;
  result.mtu = port.mtu;
  result.data_room = std::max(2048u, std::min(port.mtu + 64, 65000u)) + RTE_PKTMBUF_HEADROOM;
  result.mbufs = mbufs;
  return result;
}

std::expected<std::unique_ptr<PortWire>, Error> open_wire(const Request& request, const plan::MachinePort& found,
                                                          std::vector<std::string>& notices) {
  auto port = dpdk::Port::configure(planned(request, found), mempool_cache, notices);
  if (!port) return std::unexpected(port.error());
  if (auto started = port->start(notices); !started) return std::unexpected(started.error());
  return std::make_unique<PortWire>(std::move(*port), std::max(request.burst, 32u));
}

// memif, vhost and virtio-user have a link once both ends are there.
std::optional<Error> wait_for_links(const Wires& wires, const traffic::StopFlag& stop) {
  const auto end = traffic::steady_ns() + link_patience_ns;
  const auto down = [](const auto& wire) { return !wire->link_up(); };
  for (auto wire = std::ranges::find_if(wires, down); wire != wires.end(); wire = std::ranges::find_if(wires, down)) {
    if (stop) return Error{(*wire)->name(), "it was stopped before its link came up", "", Error::Kind::failed};
    if (traffic::steady_ns() >= end)
      return Error{(*wire)->name(), "its link is down", "is the other end there?", Error::Kind::not_ready};
    traffic::sleep_until(traffic::steady_ns() + look_ns);
  }
  return std::nullopt;
}

// Keeps the Wires for a moment when the run is over.
Outcome run(const Request& request, Wires wires, storage::Speaker& out, const traffic::StopFlag& stop) {
  auto ends = traffic::ends_of(request);
  if (!ends.local_mac && traffic::makes_packets(request.application)) ends.local_mac = wires.front()->mac();
  std::vector<std::unique_ptr<traffic::Wire>> all;
  for (auto& wire : wires) all.push_back(std::move(wire));
  Lcores lcores;
  auto outcome = traffic::run_on_wires(request, ends, all, lcores, out, stop);
  if (request.application != Application::recv) {
    const auto end = traffic::steady_ns() + last_frames_ns;
    while (traffic::steady_ns() < end) traffic::sleep_until(end);
  }
  return outcome;
}

}  // namespace

Outcome run_over_ports(const Request& request, const std::vector<std::string>& eal_args, storage::Speaker& out,
                       storage::Speaker& err, const traffic::StopFlag& stop) {
  if (auto problems = dpdk::check_args(eal_args, plan::read_hugepages()); !problems.empty())
    return {std::move(problems), {}};
  const auto eal = dpdk::Eal::start(plan::complete_eal_args(eal_args), err);
  if (!eal) return {{eal.error()}, {}};
  if (auto missing = dpdk::missing_devices(); !missing.empty()) return {std::move(missing), {}};
  if (auto few = check_lcores(request)) return {{std::move(*few)}, {}};
  const auto chosen = choose(request, dpdk::probe({}));
  if (!chosen) return {{chosen.error()}, {}};
  std::vector<std::string> notices;
  Wires wires;
  for (const auto& port : *chosen) {
    auto wire = open_wire(request, port, notices);
    if (!wire) return {{wire.error()}, std::move(notices)};
    wires.push_back(std::move(*wire));
  }
  if (auto down = wait_for_links(wires, stop)) return {{std::move(*down)}, std::move(notices)};
  auto outcome = run(request, std::move(wires), out, stop);
  outcome.notices.insert(outcome.notices.begin(), notices.begin(), notices.end());
  return outcome;
}

}  // namespace wirespool::port_traffic

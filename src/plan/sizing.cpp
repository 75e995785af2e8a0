// SPDX-License-Identifier: BSD-3-Clause
#include "plan/sizing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace wirespool::plan {
namespace {

// What a writer lcore that only writes can sustain: bench/README.md, CPU time in the kernel for each GB (0.02 s).
constexpr double writer_io_bytes_per_s = 50e9;

constexpr unsigned most_lcores = 128;  // RTE_MAX_LCORE of packaged DPDKs

unsigned at_least_one(double number) { return static_cast<unsigned>(std::max(1.0, std::ceil(number - 1e-9))); }

struct Counts {
  unsigned rx = 1, writers = 1, drives = 1;
};

// What one RX queue with its lcore is planned to take: a part of what the lcore can do, and no more than the NIC gives.
double queue_mpps(const Demand& demand, const Sizing& sizing) {
  const double planned = sizing.rx_with_features_mpps * demand.load_percent / 100.0;
  const auto* nic = demand.nic;
  return nic && nic->queue_mpps.number ? std::min(planned, *nic->queue_mpps.number) : planned;
}

// Lcores with what is on: what they do with nothing on takes as long as ever, and the rest comes on top.
void add_features(const Demand& demand, const StageRates& rates, Sizing& sizing) {
  sizing.features = features_of(demand, rates);
  sizing.rx_with_features_mpps = 1e3 / (1e3 / sizing.rx_mpps + ns_of(sizing.features, true));
  const double io_ns = kept_bytes(demand) / writer_io_bytes_per_s * 1e9;
  const double writer_ns = sizing.writer_mpps > 0 ? 1e3 / sizing.writer_mpps : io_ns;
  sizing.writer_with_features_mpps = 1e3 / (writer_ns + ns_of(sizing.features, false));
}

Counts count(const Demand& demand, const Sizing& sizing) {
  const double load = demand.load_percent / 100.0;
  return {.rx = std::max(demand.ports, at_least_one(sizing.received_mpps / queue_mpps(demand, sizing))),
          .writers = at_least_one(sizing.received_mpps / (sizing.writer_with_features_mpps * load)),
          .drives = at_least_one(sizing.stored_bytes_per_s / static_cast<double>(demand.drive_bytes_per_s)) +
                    demand.spare_drives};
}

// A machine with all that is needed, on one node: lcore 0 reports, the next ones receive, the rest write.
Machine machine_for(const Demand& demand, const Counts& counts, unsigned queues) {
  Machine machine;
  for (unsigned id = 0; id < 1 + counts.rx + counts.writers; ++id) machine.lcores.push_back({id, -1, {id}});
  for (unsigned id = 0; id < demand.ports; ++id) {
    MachinePort port;
    port.id = id;
    port.name = fmt::format("port{}", id);
    port.driver = "net_any";
    port.max_rx_queues = queues;
    port.max_rx_desc = std::max(4096u, demand.rx_desc.value_or(0));
    port.speed_mbits = static_cast<unsigned>(port_mbits(demand));
    port.max_frame = 9728;
    port.offers_scatter = true;
    port.rss_functions = ~std::uint64_t{0};
    machine.ports.push_back(port);
  }
  for (unsigned id = 0; id < counts.drives; ++id) {
    MachineDrive drive;
    drive.path = drive.real_path = fmt::format("/data/nvme{}", id);
    drive.device = id;
    drive.device_name = fmt::format("nvme{}n1", id);
    drive.file_system = "xfs";
    drive.free_bytes = ~std::uint64_t{0};
    machine.drives.push_back(drive);
  }
  return machine;
}

CaptureConfig config_for(const Demand& demand, const Sizing& sizing, const Counts& counts, unsigned queues) {
  CaptureConfig config;
  config.handoff = demand.handoff;
  config.snaplen = demand.snaplen;
  config.rx_queues = queues;
  config.rx_desc = demand.rx_desc;
  config.idle = demand.idle;
  config.checksum = demand.checksum;
  config.index = demand.index;
  config.format = demand.format;
  if (demand.flows) config.flows = "/data/flows";
  if (demand.slice) config.slice = "l4";
  config.rx_lcores.resize(counts.rx);
  config.writer_lcores.resize(counts.writers);
  std::iota(config.rx_lcores.begin(), config.rx_lcores.end(), 1u);
  std::iota(config.writer_lcores.begin(), config.writer_lcores.end(), 1u + counts.rx);
  for (unsigned id = 0; id < counts.drives; ++id) config.outputs.push_back(fmt::format("/data/nvme{}", id));
  const double stall_bytes = sizing.stored_bytes_per_s * static_cast<double>(demand.stall_ns) / 1e9;
  config.blocks = at_least_one(stall_bytes / static_cast<double>(config.block_size));
  return config;
}

std::vector<Error> check(const Demand& demand) {
  std::vector<Error> problems;
  if (demand.bits_per_s == 0) problems.push_back({"--rate", "nothing a second needs no capture", "give it as 40G"});
  if (demand.drive_bytes_per_s == 0) problems.push_back({"--drive-speed", "0 stores nothing", "give it as 2G"});
  if (demand.ports == 0) problems.push_back({"--ports", "0 ports receive nothing", "give 1 or more"});
  if (demand.snaplen == 0) problems.push_back({"--snaplen", "0 keeps nothing", "give 1 or more"});
  if (demand.load_percent == 0 || demand.load_percent > 100)
    problems.push_back({"--load", fmt::format("{} % is not between 1 and 100", demand.load_percent), "80 leaves room"});
  if (demand.cards == 0 || (demand.ports % demand.cards) != 0)
    problems.push_back({"--cards", fmt::format("{} cards cannot share {} port(s) evenly", demand.cards, demand.ports),
                        "give 1, or a divisor of --ports"});
  if (demand.rx_desc && (*demand.rx_desc == 0 || *demand.rx_desc > 65535))
    problems.push_back({"--rx-desc", fmt::format("{} is no ring", *demand.rx_desc), "give 1 to 65535"});
  if (demand.memory_bytes_per_s == 0)
    problems.push_back({"--memory-speed", "0 moves nothing", "give it as 80G, or leave it out"});
  return problems;
}

// What reaches the lcores, and what keeps the rest from them.
void apply_limits(const Demand& demand, const StageRates& rates, Sizing& sizing) {
  sizing.limits = limits_of(demand, rates, sizing.rx_with_features_mpps);
  sizing.received_mpps = sizing.mpps;
  const auto* least = least_of(sizing.limits.machine);
  if (!least || *least->mpps >= sizing.mpps) return;
  sizing.received_mpps = *least->mpps;
  sizing.limited_by = least->of;
}

}  // namespace

std::uint64_t port_mbits(const Demand& demand) {
  return std::max<std::uint64_t>(1, demand.bits_per_s / demand.ports / 1'000'000);
}

std::expected<Sizing, std::vector<Error>> size_capture(const Demand& demand, const StageRates& rates) {
  if (auto problems = check(demand); !problems.empty()) return std::unexpected(problems);
  const bool blocks = demand.handoff == HandoffKind::blocks;
  Sizing sizing;
  sizing.mpps = static_cast<double>(demand.bits_per_s) / 8e6 / wire_bytes(demand.mix);
  sizing.rx_mpps = mpps_of(blocks ? rates.receive_build : rates.receive, demand.mix);
  sizing.writer_mpps = blocks ? 0 : mpps_of(rates.build, demand.mix);
  add_features(demand, rates, sizing);
  apply_limits(demand, rates, sizing);
  sizing.stored_bytes_per_s = sizing.received_mpps * 1e6 * kept_bytes(demand);
  sizing.memory_bytes_per_s = sizing.received_mpps * 1e6 * memory_bytes(demand);
  const auto counts = count(demand, sizing);
  if (1 + counts.rx + counts.writers > most_lcores) {
    return std::unexpected(std::vector<Error>{
        {"--rate", fmt::format("it takes {} lcores, DPDK has {}", 1 + counts.rx + counts.writers, most_lcores),
         "split it over several machines"}});
  }
  const unsigned queues = (counts.rx + demand.ports - 1) / demand.ports;
  auto config = config_for(demand, sizing, counts, queues);
  const auto machine = machine_for(demand, counts, queues);
  if (auto wrong = validate(config); !wrong.empty()) return std::unexpected(std::move(wrong));
  auto plan = make_plan(config, machine);
  if (!plan) {  // the stall is so short that the lcores' minimum is more
    config.blocks.reset();
    plan = make_plan(config, machine);
  }
  if (!plan) return std::unexpected(plan.error());
  sizing.plan = std::move(*plan);
  sizing.cpu = cpu_time(demand, sizing.plan);
  return sizing;
}

}  // namespace wirespool::plan

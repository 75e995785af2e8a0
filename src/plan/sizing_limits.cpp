// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "format/pcap_records.hpp"
#include "plan/sizing.hpp"

namespace wirespool::plan {
namespace {

constexpr double fcs_bytes = 4, around_a_frame = format::PcapRecords::bytes_of(0);

// With what is kept of an average packet: the copy reads it, its Block is read into the cache, written back, and read
// by a drive.
constexpr double passes_of_what_is_kept = 4;

constexpr std::string_view no_nic = "which NIC it is was not said (--nic)";

double pcie_bytes(const TrafficMix& mix) {
  double bytes = 0;
  for (const auto& part : mix.parts) bytes += part.share * pcie_bytes_of_frame(part.frame_bytes);
  return bytes;
}

// `mpps` of what the document's number counts: packets, or 1 / what a packet takes.
Limit published(std::string of, const Published& found, double mpps_of_one) {
  Limit limit{.of = std::move(of), .source = std::string(found.source), .date = std::string(found.date)};
  if (!found.number) return limit;
  limit.mpps = *found.number * mpps_of_one;
  limit.origin = Origin::published;
  return limit;
}

Limit pcie(const Demand& demand) {
  const bool given = demand.pcie.has_value();
  const auto slot = demand.pcie.value_or(demand.nic ? demand.nic->pcie : PcieSlot{});
  if (!slot.known())
    return {.of = "PCIe", .source = std::string(demand.nic ? demand.nic->pcie_source : "no slot was given (--pcie)")};
  const auto of_slot = given ? "as given" : demand.nic->pcie_source;
  return {.of = fmt::format("PCIe {}.0 x{}", slot.generation, slot.lanes),
          .mpps = pcie_bytes_per_s(slot) / pcie_bytes(demand.mix) / 1e6 * demand.cards,
          .origin = Origin::computed,
          .source = fmt::format("{}; the slot: {}", pcie_model, of_slot),
          .date = std::string(pcie_model_date)};
}

Limit memory(const Demand& demand) {
  if (!demand.memory_bytes_per_s) return {.of = "memory", .source = "how fast it is was not given (--memory-speed)"};
  return {.of = "memory",
          .mpps = static_cast<double>(*demand.memory_bytes_per_s) / memory_bytes(demand) / 1e6,
          .origin = Origin::computed,
          .source = "the speed given, as if nothing stayed in a cache"};
}

}  // namespace

double kept_bytes(const Demand& demand) {
  double bytes = 0;
  for (const auto& part : demand.mix.parts)
    bytes += part.share * (std::min<double>(part.frame_bytes - fcs_bytes, demand.snaplen) + around_a_frame);
  return bytes;
}

double memory_bytes(const Demand& demand) {
  return mean_bytes(demand.mix) - fcs_bytes + passes_of_what_is_kept * kept_bytes(demand);
}

Limits limits_of(const Demand& demand, const StageRates& rates, double rx_mpps) {
  const auto unsaid = Published{.source = no_nic};
  const bool less_features = ns_of(features_of(demand, rates), true) > 0;
  const double cards = demand.cards, of_a_gbit = 1e3 / 8 / wire_bytes(demand.mix);
  Limits limits;
  limits.machine = {published("NIC packet rate", demand.nic ? demand.nic->device_mpps : unsaid, cards),
                    published("NIC bit rate", demand.nic ? demand.nic->device_gbit : unsaid, cards * of_a_gbit),
                    pcie(demand), memory(demand)};
  limits.queue = {published("NIC queue", demand.nic ? demand.nic->queue_mpps : unsaid, 1),
                  {.of = "RX lcore",
                   .mpps = rx_mpps * demand.load_percent / 100.0,
                   .origin = less_features ? Origin::computed : Origin::measured,
                   .source = fmt::format("{} % of what one did on {}{}", demand.load_percent, rates.measured_on,
                                         less_features ? ", less what is on" : "")}};
  return limits;
}

const Limit* least_of(const std::vector<Limit>& limits) {
  const Limit* least = nullptr;
  for (const auto& limit : limits)
    if (limit.mpps && (!least || *limit.mpps < *least->mpps)) least = &limit;
  return least;
}

std::string_view word(Origin origin) {
  switch (origin) {
    case Origin::measured:
      return "measured";
    case Origin::published:
      return "published";
    case Origin::computed:
      return "computed";
    case Origin::not_known:
      break;
  }
  return "not known";
}

}  // namespace wirespool::plan

// SPDX-License-Identifier: BSD-3-Clause
#include "plan/nic_limits.hpp"

#include <array>
#include <bit>
#include <cmath>

#include "options/values.hpp"

namespace wirespool::plan {
namespace {

constexpr std::string_view dpdk_mlx5 = "DPDK 25.11, NVIDIA MLX5 Ethernet Driver, Supported Devices: total bandwidth";
constexpr std::string_view csit = "FD.io CSIT, methodology, Maximum Receive Rate";
constexpr std::string_view intel_37 =
    "Intel, Acceleration Stack 1.1 Release Notes for the N3000 (683749), after the X710/XXV710/XL710 Specification "
    "Update: about 37 Mpps for the entire device with packets below 160 bytes";

// What is in here was read in the documents named; a number that was not found is not here.
constexpr auto families = std::to_array<NicFamily>({
    {.name = "82599",
     .title = "Intel 82599 (X520)",
     .queue_mpps = {14.88, "Rizzo, netmap, USENIX ATC 2012: one core at the line rate of 10 GbE", "2012-06"},
     .device_mpps = {{}, "no limit below the line rate of its ports was found"},
     .pcie = {2, 8},
     .pcie_source = "Intel, 82599 10 GbE Controller Datasheet (331520-001), revision 3.0",
     .pcie_date = "2014-11"},
    {.name = "x710",
     .title = "Intel X710",
     .device_mpps =
         {{},
          "Intel's Specification Update has a section on its throughput limit: the number read there (xl710) "
          "is the XL710's"}},
    {.name = "xl710",
     .title = "Intel XL710",
     .device_mpps = {37, intel_37, "2021-07-01"},
     .pcie = {3, 8},
     .pcie_source = csit,
     .pcie_date = "2023-05-03"},
    {.name = "xl710-vf",
     .title = "a VF of an Intel XL710",
     .queue_mpps =
         {34.2,
          "Leira et al., Computer Networks 2019: HPCAP40vf, one RX ring of a VF with a mirror rule, 57.5 % of "
          "59.5 Mpps",
          "2019"},
     .device_mpps = {37, intel_37, "2021-07-01"},
     .pcie = {3, 8},
     .pcie_source = csit,
     .pcie_date = "2023-05-03"},
    {.name = "xxv710",
     .title = "Intel XXV710",
     .device_mpps = {37.5, "FD.io CSIT, methodology, Maximum Receive Rate: 2 x 18.75 Mpps, limited by the NIC",
                     "2023-05-03"}},
    {.name = "e810",
     .title = "Intel E810-CQDA2",
     .device_mpps = {117,
                     "FD.io CSIT, Constants.py: 2 x 58.5 Mpps, the most that is offered to both ports of an E810-CQ",
                     "2020-07-14"},
     .device_gbit = {100, "Intel, support article 000093702: total throughput of the adapter", "2023-03-31"},
     .pcie = {4, 16},
     .pcie_source = "ServeTheHome, Intel E810-CQDA2 Dual-Port 100GbE NIC Review",
     .pcie_date = "2022"},
    {.name = "connectx-5",
     .title = "NVIDIA ConnectX-5",
     .device_gbit = {100, dpdk_mlx5, "2025-11"},
     .pcie = {3, 16},
     .pcie_source = "NVIDIA, ConnectX-5 Ethernet Adapter Cards for OCP Spec 2.0 User Manual, Interfaces"},
    {.name = "connectx-6",
     .title = "NVIDIA ConnectX-6",
     .device_mpps = {215, "NVIDIA, ConnectX-6 Ethernet Adapter Cards User Manual, Introduction: messages a second"},
     .device_gbit = {200, dpdk_mlx5, "2025-11"},
     .pcie = {4, 16},
     .pcie_source = "NVIDIA, ConnectX-6 Ethernet Adapter Cards User Manual, Introduction"},
    {.name = "connectx-6-dx",
     .title = "NVIDIA ConnectX-6 Dx",
     .device_gbit = {200, dpdk_mlx5, "2025-11"},
     .pcie = {4, 16},
     .pcie_source = "NVIDIA, ConnectX-6 Dx Adapter Cards for OCP Spec 3.0 User Manual, Interfaces"},
    {.name = "connectx-7",
     .title = "NVIDIA ConnectX-7",
     .device_gbit = {400, dpdk_mlx5, "2025-11"},
     .pcie = {5, 16},
     .pcie_source = "NVIDIA, ConnectX-7 Adapter Cards for OCP Spec 3.0 User Manual, Introduction"},
    {.name = "ena",
     .title = "Amazon ENA",
     .device_mpps = {{},
                     "Amazon publishes none: each instance type has its own (amzn-drivers, issue 318), and "
                     "pps_allowance_exceeded counts what is above it",
                     "2024-08-08"}},
});

// Transfers a second of one lane, in 1e9, and the share of them that is data: 8b/10b, then 128b/130b.
struct Lane {
  double transfers, data;
};
constexpr std::array<Lane, 5> lanes{
    {{2.5, 8.0 / 10}, {5, 8.0 / 10}, {8, 128.0 / 130}, {16, 128.0 / 130}, {32, 128.0 / 130}}};

constexpr double for_transactions = 0.9, largest_write = 256, write_header = 24, descriptor = 16, fcs_bytes = 4;

}  // namespace

std::span<const NicFamily> nic_families() { return families; }

std::expected<PcieSlot, std::string> parse_pcie(std::string_view text) {
  const auto x = text.find('x');
  const auto generation = options::number_in<unsigned>(text.substr(0, x));
  const auto wide = x == text.npos ? std::nullopt : options::number_in<unsigned>(text.substr(x + 1));
  const bool good = generation && wide && *generation >= 1 && *generation <= lanes.size() && *wide <= 16 &&
                    std::has_single_bit(*wide);
  if (!good) return std::unexpected("generation 1 to 5 and 1, 2, 4, 8 or 16 lanes, as 3x8");
  return PcieSlot{*generation, *wide};
}

double pcie_bytes_per_s(const PcieSlot& slot) {
  const auto& lane = lanes[slot.generation - 1];
  return lane.transfers * 1e9 * lane.data * slot.lanes / 8 * for_transactions;
}

double pcie_bytes_of_frame(double frame_bytes) {
  const double data = frame_bytes - fcs_bytes;
  return data + std::ceil(data / largest_write) * write_header + descriptor + write_header;
}

}  // namespace wirespool::plan

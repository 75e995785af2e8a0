// SPDX-License-Identifier: BSD-3-Clause
#include "capture/file_front.hpp"

#include <fmt/format.h>
#include <rte_ethdev.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "dpdk/eal.hpp"
#include "dpdk/probe.hpp"
#include "format/pcap.hpp"
#include "format/pcapng.hpp"
#include "machine/machine_tree.hpp"
#include "wirespool/version.hpp"

namespace wirespool::capture {
namespace {

// "model name" of the first CPU; empty where the kernel gives none.
std::string cpu_model() {
  const auto text = machine::MachineTree("/").text("proc/cpuinfo").value_or("");
  const auto name = text.find("\nmodel name");
  const auto colon = name == std::string::npos ? name : text.find(": ", name);
  if (colon == std::string::npos) return {};
  return text.substr(colon + 2, text.find('\n', colon) - colon - 2);
}

std::string kernel() {
  utsname names{};
  if (::uname(&names) != 0) return {};
  return fmt::format("{} {} {}", names.sysname, names.release, names.machine);
}

std::optional<std::array<std::byte, 6>> mac_of(const dpdk::Port& port) {
  rte_ether_addr address{};
  if (rte_eth_macaddr_get(port.id(), &address) != 0) return std::nullopt;
  std::array<std::byte, 6> bytes;
  static_assert(sizeof address == sizeof bytes);
  std::memcpy(bytes.data(), &address, sizeof bytes);
  return bytes;
}

std::uint64_t bits_per_s(const dpdk::Port& port) { return std::uint64_t{dpdk::link_mbits(port.id())} * 1'000'000; }

std::string clock_comment(const format::ClockBound& clock) {
  return fmt::format(R"({{"clock":"{}","discipline":"{}","error_ns":{}}})", clock.source, clock.discipline,
                     clock.error_ns ? std::to_string(*clock.error_ns) : "null");
}

format::PcapngInterface interface_of(const plan::CapturePlan& plan, const dpdk::Port& port, unsigned queue,
                                     const format::ClockBound& clock) {
  const bool granted = queue < port.planned().rx_queues;
  return {.linktype = format::linktype_ethernet,
          .snaplen = plan.config.snaplen,
          .name = port.planned().name,
          .description =
              fmt::format("port {} queue {}{}", port.id(), queue, granted ? "" : ", which the device did not grant"),
          .filter = plan.config.filter,
          .comment = clock_comment(clock),
          .mac = mac_of(port),
          .bits_per_s = bits_per_s(port)};
}

}  // namespace

std::vector<std::byte> file_front(const plan::CapturePlan& plan, const std::vector<dpdk::Port>& ports,
                                  const format::ClockBound& clock) {
  auto front =
      format::pcapng_section_header({.hardware = cpu_model(),
                                     .os = kernel(),
                                     .application = fmt::format("wirespool {} ({})", version, dpdk::version())});
  for (const auto& rx : plan.rx_lcores)
    for (const auto& queue : rx.queues) {
      const auto port = std::ranges::find_if(ports, [&](const auto& one) { return one.id() == queue.port; });
      const auto block = format::pcapng_interface_block(interface_of(plan, *port, queue.queue, clock));
      front.insert(front.end(), block.begin(), block.end());
    }
  return front;
}

}  // namespace wirespool::capture

// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/probe.hpp"

#include <fmt/format.h>
#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_version.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "dpdk/net_interface.hpp"
#include "machine/pci.hpp"
#include "plan/eal_args.hpp"

namespace wirespool::dpdk {

namespace {

plan::MachineLcore probe_lcore(unsigned id) {
  plan::MachineLcore lcore{id, static_cast<int>(rte_lcore_to_socket_id(id)), {}};
  const rte_cpuset_t cpus = rte_lcore_cpuset(id);
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &cpus)) lcore.cpus.push_back(cpu);
  return lcore;
}

// Packets come from a file or are generated: none are lost while we wait.
bool is_file_fed(const rte_eth_dev_info& info) {
  const std::string driver = info.driver_name;
  if (driver == "net_null") return true;
  return driver == "net_pcap" && device_arguments(info).find("rx_pcap=") != std::string::npos;
}

bool is_vf(const rte_eth_dev_info& info) {
  const std::string address = info.device ? rte_dev_name(info.device) : "";
  const auto device = address.empty() ? std::nullopt : machine::read_pci_device(machine::MachineTree(), address);
  return device && (device->is_vf() || machine::is_vf_by_number(*device));
}

unsigned number_given(const rte_eth_dev_info& info, const char* name, unsigned otherwise) {
  const auto given = plan::parse_device_args("," + device_arguments(info)).all(name);
  return given.empty() ? otherwise : static_cast<unsigned>(std::strtoul(given.back().c_str(), nullptr, 0));
}

// The fastest that the device can be set to, as its link may be up only later; else what a virtual one pretends.
unsigned speed_mbits(std::uint16_t id, const rte_eth_dev_info& info) {
  constexpr std::array<unsigned, 13> speeds{400'000, 200'000, 100'000, 56'000, 50'000, 40'000, 25'000,
                                            20'000,  10'000,  5'000,   2'500,  1'000,  100};
  for (const auto speed : speeds)
    if ((info.speed_capa & rte_eth_speed_bitflag(speed, RTE_ETH_LINK_FULL_DUPLEX)) != 0) return speed;
  return link_mbits(id);
}

// net_af_packet's ring holds frames in slots of framesz bytes, 66 of which the kernel needs for a tpacket2_hdr, a
// sockaddr_ll and alignment (packet(7), net/packet/af_packet.c); DPDK's driver does not say how long a frame was.
unsigned cut_at(const rte_eth_dev_info& info) {
  constexpr unsigned default_slot = 2048, head = 66;
  if (std::string_view(info.driver_name) != "net_af_packet") return 0;
  const auto slot = number_given(info, "framesz", default_slot);
  return slot > head ? slot - head : 0;
}

plan::MachinePort probe_port(std::uint16_t id) {
  plan::MachinePort port;
  rte_eth_dev_info info{};
  char name[RTE_ETH_NAME_MAX_LEN] = "";
  port.id = id;
  if (rte_eth_dev_get_name_by_port(id, name) == 0) port.name = name;
  port.numa_node = rte_eth_dev_socket_id(id);
  if (rte_eth_dev_info_get(id, &info) != 0) return port;
  port.driver = info.driver_name;
  port.file_fed = is_file_fed(info);
  port.is_vf = is_vf(info);
  port.max_rx_queues = info.max_rx_queues;
  port.max_tx_queues = info.max_tx_queues;
  port.min_rx_desc = info.rx_desc_lim.nb_min;
  port.max_rx_desc = info.rx_desc_lim.nb_max ? info.rx_desc_lim.nb_max : 65535;
  port.rx_desc_align = info.rx_desc_lim.nb_align ? info.rx_desc_lim.nb_align : 1;
  port.default_rx_desc = info.default_rxportconf.ring_size;
  port.own_ring = own_ring(info);
  port.speed_mbits = speed_mbits(id, info);
  port.min_rx_buffer = info.min_rx_bufsize;
  port.max_frame = info.max_rx_pktlen;
  port.min_mtu = info.min_mtu;
  port.max_mtu = info.max_mtu ? info.max_mtu : 65535;
  std::uint16_t mtu = 0;
  if (rte_eth_dev_get_mtu(id, &mtu) == 0 && mtu) port.mtu = mtu;
  port.offers_scatter = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
  port.offers_timestamp = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  port.rss_functions = info.flow_type_rss_offloads;
  for (const auto& interface : interfaces_of(id)) port.interfaces.push_back(interface.facts());
  port.cut_at = cut_at(info);
  return port;
}

}  // namespace

// Where a queue is a ring that was made with the device, and its descriptors are not asked for (rte_eth_af_packet.c,
// rte_eth_memif.h). A vhost-user port's is its guest's: as a guest usually has it.
unsigned own_ring(const rte_eth_dev_info& info) {
  const std::string_view driver = info.driver_name;
  if (driver == "net_af_packet") return number_given(info, "framecnt", 512);
  if (driver == "net_memif") return 1U << std::min(number_given(info, "rsize", 10), 14U);
  if (driver == "net_vhost") return 256;
  return 0;
}

unsigned link_mbits(std::uint16_t port) {
  rte_eth_link link{};
  const bool known = rte_eth_link_get_nowait(port, &link) == 0 && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
  return known ? link.link_speed : 0;
}

std::string device_arguments(const rte_eth_dev_info& info) {
#if RTE_VERSION >= RTE_VERSION_NUM(22, 11, 0, 0)
  const rte_devargs* devargs = info.device ? rte_dev_devargs(info.device) : nullptr;
#else
  const rte_devargs* devargs = info.device ? info.device->devargs : nullptr;
#endif
  return devargs && devargs->args ? devargs->args : "";
}

plan::Machine probe(std::vector<plan::MachineDrive> drives) {
  plan::Machine machine;
  machine.drives = std::move(drives);
  machine.main_lcore = rte_get_main_lcore();
  unsigned lcore = 0;
  RTE_LCORE_FOREACH(lcore) machine.lcores.push_back(probe_lcore(lcore));
  std::uint16_t port = 0;
  for (port = static_cast<std::uint16_t>(rte_eth_find_next(0)); port < RTE_MAX_ETHPORTS;
       port = static_cast<std::uint16_t>(rte_eth_find_next(static_cast<std::uint16_t>(port + 1))))
    machine.ports.push_back(probe_port(port));
  return machine;
}

namespace {

// A PCI address with its domain, as buses name their devices.
std::string full_name(std::string_view name) {
  const bool short_address = name.size() == 7 && name[2] == ':' && name[5] == '.';
  std::string full = (short_address ? "0000:" : "") + std::string(name);
  std::ranges::transform(full, full.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return full;
}

bool is_a_port(const std::string& name) {
  for (auto port = rte_eth_find_next(0); port < RTE_MAX_ETHPORTS;
       port = rte_eth_find_next(static_cast<std::uint16_t>(port + 1))) {
    rte_eth_dev_info info{};
    if (rte_eth_dev_info_get(static_cast<std::uint16_t>(port), &info) == 0 && info.device &&
        full_name(rte_dev_name(info.device)) == name)
      return true;
  }
  return false;
}

// Whether a driver has it, even if it is no port (a crypto device, a representor's parent).
bool has_driver(const std::string& bus, const std::string& name) {
  rte_dev_iterator iterator;
  rte_device* device = nullptr;
  const auto all = "bus=" + bus;
  bool found = false;
  RTE_DEV_FOREACH(device, all.c_str(), &iterator)
  found = found || (full_name(rte_dev_name(device)) == name && rte_dev_is_probed(device));
  return found;
}

// For a virtual device: the first of its arguments that names something that does not exist.
std::optional<std::string> missing_argument(const plan::DeviceArgs& device) {
  for (const auto* key : {"rx_pcap"})
    for (const auto& path : device.all(key))
      if (::access(path.c_str(), R_OK) != 0) return fmt::format("{}: {}", path, std::strerror(errno));
  for (const auto* key : {"iface", "rx_iface", "remote"})
    for (const auto& name : device.all(key))
      if (name.find('/') == std::string::npos && !NetInterface::by_name(name))
        return fmt::format("there is no network interface {} in this network namespace", name);
  return std::nullopt;
}

Error missing_virtual(const rte_devargs& asked) {
  const auto arguments = fmt::format("{},{}", asked.name, asked.args ? asked.args : "");
  const auto why = missing_argument(plan::parse_device_args(arguments));
  const bool packet_socket = std::string_view(asked.name).starts_with("net_af_packet");
  if (const auto lack = packet_socket && !why ? lack_for_packet_socket() : std::nullopt)
    return {fmt::format("--vdev {}", asked.name), "its driver did not start it: " + *lack,
            "start it as root, or with that right", Error::Kind::not_ready};
  return {fmt::format("--vdev {}", asked.name), why.value_or("its driver did not start it"),
          why ? "correct it, or leave the device out" : "see its driver's messages above, or leave the device out",
          Error::Kind::not_ready};
}

}  // namespace

std::vector<Error> missing_devices() {
  std::vector<Error> missing;
  rte_devargs* asked = nullptr;
  RTE_EAL_DEVARGS_FOREACH(nullptr, asked) {
    if (asked->policy != RTE_DEV_ALLOWED || asked->name[0] == '\0') continue;
    const std::string bus = rte_bus_name(asked->bus), name = full_name(asked->name);
    if (is_a_port(name) || has_driver(bus, name)) continue;
    missing.push_back(bus == "vdev"  ? missing_virtual(*asked)
                      : bus == "pci" ? why_untaken(machine::MachineTree(), name, asked->name)
                                     : Error{fmt::format("-a {}", asked->name), "no driver of DPDK took it",
                                             "see their messages above, or leave it out", Error::Kind::not_ready});
  }
  return missing;
}

}  // namespace wirespool::dpdk

// SPDX-License-Identifier: BSD-3-Clause
#include "dpdk/probe.hpp"

#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_version.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "dpdk/net_interface.hpp"
#include "machine/pci.hpp"
#include "plan/device_args.hpp"
#include "plan/route.hpp"
#include "storage/drive.hpp"

namespace wirespool::dpdk {
namespace {

plan::MachineLcore probe_lcore(unsigned id) {
  plan::MachineLcore lcore{id, static_cast<int>(rte_lcore_to_socket_id(id)), {}};
  const rte_cpuset_t cpus = rte_lcore_cpuset(id);
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &cpus)) lcore.cpus.push_back(cpu);
  return lcore;
}

// From a file or from nowhere: nobody is at the other end to lose packets while we wait.
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

// net_af_packet's ring holds frames in slots of framesz bytes, 66 of which the kernel needs for a tpacket2_hdr, a
// sockaddr_ll and alignment (packet(7), net/packet/af_packet.c); DPDK's driver does not say how long a frame was.
unsigned cut_at(const rte_eth_dev_info& info) {
  constexpr unsigned default_slot = 2048, head = 66;
  if (std::string_view(info.driver_name) != "net_af_packet") return 0;
  const auto given = plan::parse_device_args("," + device_arguments(info)).all("framesz");
  const auto slot =
      given.empty() ? default_slot : static_cast<unsigned>(std::strtoul(given.back().c_str(), nullptr, 0));
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

Error explain(const storage::IoError& error, const std::string& path) {
  const std::string why = path + ": " + std::strerror(error.code);
  switch (error.code) {
    case ENOENT:
      return {"--output", why, "create the directory first, on the drive that is to take the packets",
              Error::Kind::not_ready};
    case ENOTDIR:
      return {"--output", why, "give a directory, not a file", Error::Kind::not_ready};
    case EACCES:
    case EPERM:
      return {"--output", why, "give write permission on the directory, or run as a user who has it",
              Error::Kind::not_ready};
    case EROFS:
      return {"--output", why, "remount the file system read-write, or give another directory", Error::Kind::not_ready};
    default:
      return {"--output", error.message(), "check the drive, or give another directory", Error::Kind::not_ready};
  }
}

}  // namespace

std::string device_arguments(const rte_eth_dev_info& info) {
#if RTE_VERSION >= RTE_VERSION_NUM(22, 11, 0, 0)
  const rte_devargs* devargs = info.device ? rte_dev_devargs(info.device) : nullptr;
#else
  const rte_devargs* devargs = info.device ? info.device->devargs : nullptr;
#endif
  return devargs && devargs->args ? devargs->args : "";
}

std::expected<std::vector<plan::MachineDrive>, std::vector<Error>> probe_drives(
    const std::vector<std::string>& outputs) {
  std::vector<plan::MachineDrive> drives;
  std::vector<Error> problems;
  for (const auto& path : outputs) {
    const auto drive = storage::inspect_drive(path);
    if (!drive) {
      problems.push_back(explain(drive.error(), path));
      continue;
    }
    drives.push_back({drive->path, drive->real_path, drive->device, drive->device_name, drive->file_system,
                      drive->block_bytes, drive->direct_io, drive->free_bytes, drive->numa_node});
  }
  if (!problems.empty()) return std::unexpected(problems);
  return drives;
}

std::expected<plan::Machine, std::vector<Error>> probe(const plan::CaptureConfig& config) {
  plan::Machine machine;
  machine.main_lcore = rte_get_main_lcore();
  unsigned lcore = 0;
  RTE_LCORE_FOREACH(lcore) machine.lcores.push_back(probe_lcore(lcore));
  std::uint16_t port = 0;
  for (port = static_cast<std::uint16_t>(rte_eth_find_next(0)); port < RTE_MAX_ETHPORTS;
       port = static_cast<std::uint16_t>(rte_eth_find_next(static_cast<std::uint16_t>(port + 1))))
    machine.ports.push_back(probe_port(port));
  if (!plan::to_drives(config)) return machine;
  auto drives = probe_drives(config.outputs);
  if (!drives) return std::unexpected(drives.error());
  machine.drives = std::move(*drives);
  return machine;
}

}  // namespace wirespool::dpdk

// SPDX-License-Identifier: BSD-3-Clause
#include "plan/plan_steps.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>

#include "plan/drivers.hpp"
#include "plan/rss.hpp"
#include "plan/words.hpp"

namespace wirespool::plan {
namespace {

constexpr unsigned headroom = 128;             // RTE_PKTMBUF_HEADROOM
constexpr unsigned usual_buffer = 2048;        // RTE_MBUF_DEFAULT_DATAROOM: holds any frame of a 1500-byte MTU
constexpr unsigned largest_data_room = 65535;  // rte_pktmbuf_pool_create takes 16 bits
constexpr unsigned ethernet_header = 14;
constexpr unsigned largest_slot = 65408;             // of net_af_packet: larger ones fit no mbuf, or no block of 2 MiB
constexpr unsigned frame_overhead = 14 + 2 * 4 + 4;  // Ethernet header, two VLAN tags, FCS

std::string say(const MachinePort& port) { return fmt::format("port {} ({})", port.id, port.name); }

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// An id, a name, or a PCI address with or without its domain.
bool is_called(const MachinePort& port, const std::string& asked) {
  unsigned id = 0;
  const auto [end, error] = std::from_chars(asked.data(), asked.data() + asked.size(), id);
  if (error == std::errc{} && end == asked.data() + asked.size()) return port.id == id;
  const auto name = lower(port.name);
  return name == lower(asked) || name == "0000:" + lower(asked);
}

std::string list_ports(const Machine& machine) {
  std::string text;
  for (const auto& port : machine.ports) text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", port.id, port.name);
  return text;
}

// Rounds up to the device's step, then into its range.
unsigned fit_rx_desc(const MachinePort& port, unsigned wanted) {
  const unsigned step = std::max(1u, port.rx_desc_align);
  const unsigned most = port.max_rx_desc == 0 ? 65535 : port.max_rx_desc;
  const unsigned least = std::max(1u, port.min_rx_desc);
  const unsigned fitted = (std::max(wanted, least) + step - 1) / step * step;
  return fitted <= most ? fitted : std::max(most / step * step, 1u);
}

// Drivers recommend rings for forwarding, of 17 us at 10 Gbit/s; a capture has to bridge at least a timer tick. Where
// the source can wait, a short ring keeps mbufs in the CPU's caches.
unsigned usual_descriptors(const MachinePort& port) {
  if (port.file_fed) return port.default_rx_desc > 0 ? port.default_rx_desc : usual_rx_desc;
  return std::bit_ceil(std::max(port.default_rx_desc, least_nic_rx_desc));
}

void remark_on_ring(const MachinePort& port, const PlannedPort& planned, Findings& findings) {
  if (!facts_of(port.driver).vector_rings || std::has_single_bit(planned.rx_desc)) return;
  findings.notices.push_back(
      fmt::format("{}: with {} descriptors, no power of two, {} leaves its fast receive functions: --rx-desc {}",
                  say(port), planned.rx_desc, port.driver, std::bit_floor(planned.rx_desc)));
}

void plan_queues(const CaptureConfig& config, const MachinePort& port, PlannedPort& planned, Findings& findings) {
  planned.rx_queues = std::min(config.rx_queues, std::max(1u, port.max_rx_queues));
  if (planned.rx_queues < config.rx_queues) {
    findings.notices.push_back(
        fmt::format("{} has {} RX queue(s), not {}", say(port), planned.rx_queues, config.rx_queues));
  }
  // Many drivers refuse to start without a TX queue, although nothing is ever sent.
  planned.tx_queues = port.max_tx_queues > 0 ? 1 : 0;
  planned.rx_desc = fit_rx_desc(port, config.rx_desc.value_or(usual_descriptors(port)));
  remark_on_ring(port, planned, findings);
  if (config.rx_desc && planned.rx_desc != *config.rx_desc) {
    findings.notices.push_back(fmt::format("{} takes {} to {} descriptors in steps of {}: {} instead of {}", say(port),
                                           port.min_rx_desc, port.max_rx_desc, port.rx_desc_align, planned.rx_desc,
                                           *config.rx_desc));
  }
}

// Always given to DPDK, which assumes 1500 otherwise.
unsigned plan_mtu(const CaptureConfig& config, const MachinePort& port, PlannedPort& planned, Findings& findings) {
  planned.set_mtu = config.mtu.has_value();
  planned.mtu = std::clamp(config.mtu.value_or(port.mtu), std::min(port.min_mtu, port.max_mtu), port.max_mtu);
  if (config.mtu && planned.mtu != *config.mtu) {
    findings.notices.push_back(fmt::format("{} takes an MTU of {} to {}: {} instead of {}", say(port), port.min_mtu,
                                           port.max_mtu, planned.mtu, *config.mtu));
  }
  return planned.mtu;
}

// Buffers of the usual size if they hold the longest frame or the device can chain them; else as large as that frame.
void plan_buffers(const MachinePort& port, unsigned mtu, PlannedPort& planned, Findings& findings) {
  const unsigned frame = mtu + frame_overhead;
  unsigned buffer = std::max(usual_buffer, port.min_rx_buffer);
  if (frame > buffer) {
    planned.scatter = port.offers_scatter;
    if (!planned.scatter) buffer = frame;
  }
  const unsigned rounded = (headroom + buffer + 63) / 64 * 64;
  planned.data_room = std::min(rounded, largest_data_room);
  if (planned.data_room < headroom + buffer) {
    findings.notices.push_back(fmt::format("{} offers no scatter: frames over {} bytes do not fit an mbuf", say(port),
                                           planned.data_room - headroom));
  }
}

// The offload is not requested if the NIC's clock is known to be wrong: it alone can cost the fast receive functions.
void plan_timestamps(const CaptureConfig& config, const MachinePort& port, PlannedPort& planned, Findings& findings) {
  if (config.timestamp == TimestampSource::tsc) return;
  const auto unusable = facts_of(port.driver).clock_unusable;
  planned.needs_nic_clock = config.timestamp == TimestampSource::hw;
  planned.hw_timestamp = port.offers_timestamp && unusable.empty();
  if (planned.hw_timestamp || !planned.needs_nic_clock) return;
  const auto why = port.offers_timestamp ? fmt::format("{} stamps packets, but {}", say(port), unusable)
                                         : fmt::format("{} has no clock to stamp packets with", say(port));
  findings.problems.push_back({"--timestamp", why, "use --timestamp auto or tsc", Error::Kind::not_ready});
}

void plan_rss(const CaptureConfig& config, const MachinePort& port, PlannedPort& planned, Findings& findings) {
  if (planned.rx_queues < 2 || config.rss == Rss::off) return;
  planned.rss_functions = port.rss_functions & rss_wanted;
  planned.symmetric_key = planned.rss_functions != 0 && config.rss == Rss::symmetric;
  if (planned.rss_functions != 0) return;
  findings.notices.push_back(
      fmt::format("{} offers no RSS over IP: the device alone decides which queue a packet goes to", say(port)));
}

// A virtual function gets only what its PF lets through, and cannot tell what it misses: promiscuous mode that is
// accepted without effect looks like a quiet link.
void remark_on_vf(const CaptureConfig& config, const MachinePort& port, Findings& findings) {
  if (!config.promiscuous) return;
  // igb and its emulation give a VF at most multicast promiscuous mode (igb_main.c, igb_set_vf_promisc).
  if (port.driver == "net_e1000_igb_vf") {
    findings.notices.push_back(
        fmt::format("{} is a VF that sees its own traffic only, whatever promiscuous mode says: capture on its PF, or "
                    "let the switch "
                    "mirror to this VF's own address",
                    say(port)));
    return;
  }
  // net_i40e_vf, net_ixgbe_vf, net_hns3_vf, net_txgbe_vf, ...
  if (!port.is_vf && port.driver != "net_iavf" && !port.driver.ends_with("_vf")) return;
  findings.notices.push_back(fmt::format(
      "{} is a VF: it sees other traffic than its own only if its PF trusts it: on the host: wirespool vf trust "
      "PF:NUMBER on; wirespool vf show says whether that is enough",
      say(port)));
}

// Without these counters an exit code of 0 does not mean that nothing was lost.
void remark_on_counters(const CaptureConfig& config, const MachinePort& port, Findings& findings) {
  const auto why = facts_of(port.driver).no_nic_missed;
  if (!config.strict || why.empty()) return;
  findings.notices.push_back(
      fmt::format("{}: --strict cannot know what the device misses: nic_missed is null: {}", say(port), why));
}

// net_af_packet's arguments for frames of `frame` bytes, as far as an mbuf can hold them (its data_room has 16 bits).
std::string larger_slots(unsigned frame) {
  const unsigned slot = std::bit_ceil(frame + 66);
  if (slot > 32768) return fmt::format("framesz={},blocksz=2093056,framecnt=512", largest_slot);
  return fmt::format("framesz={},blocksz=65536,framecnt={}", std::max(slot, 2048u), slot > 8192 ? 1024 : 4096);
}

void remark_on_mtu(const MachinePort& port, const KernelInterface& interface, Findings& findings) {
  const unsigned frame = interface.mtu + ethernet_header;
  if (frame <= port.cut_at) return;
  const auto remedy = port.cut_at < largest_slot - 66
                          ? fmt::format("give --vdev={},...,{}", port.name, larger_slots(frame))
                          : fmt::format("ip link set {} mtu {}", interface.name, port.cut_at - ethernet_header);
  findings.notices.push_back(
      fmt::format("{} passes on {} bytes of a frame, but {}'s MTU of {} lets {} come: longer ones "
                  "are cut and counted as cut_by_driver: {}",
                  say(port), port.cut_at, interface.name, interface.mtu, frame, remedy));
}

void remark_on_joining(const MachinePort& port, const KernelInterface& interface, Findings& findings) {
  if (interface.joins_by.empty() || port.cut_at >= largest_slot - 66) return;
  std::string off;
  for (const auto& feature : interface.joins_by) off += " " + feature + " off";
  findings.notices.push_back(fmt::format(
      "{} passes on {} bytes of a frame, and {}'s {} make longer ones of several: these are cut and counted as "
      "cut_by_driver: "
      "ethtool -K {}{}{}, or give --vdev={},...,{}",
      say(port), port.cut_at, interface.name, fmt::join(interface.joins_by, ", "), interface.name, off,
      interface.veth ? " (the same at the other end of the veth pair)" : "", port.name, larger_slots(65536)));
}

// For a driver that silently cuts frames: what makes longer ones, and how to stop that.
void remark_on_cuts(const MachinePort& port, Findings& findings) {
  if (port.cut_at == 0) return;
  for (const auto& interface : port.interfaces) {
    remark_on_mtu(port, interface, findings);
    remark_on_joining(port, interface, findings);
  }
}

}  // namespace

std::vector<MachinePort> select_ports(const CaptureConfig& config, const Machine& machine, Findings& findings) {
  if (machine.ports.empty()) {
    findings.problems.push_back({"port", "DPDK found none",
                                 "bind a NIC to vfio-pci and allow it with -a, or give a virtual one with --vdev",
                                 Error::Kind::not_ready});
    return {};
  }
  if (config.ports.empty()) return machine.ports;
  std::vector<MachinePort> selected;
  for (const auto& asked : config.ports) {
    const auto port = std::ranges::find_if(machine.ports, [&](const auto& p) { return is_called(p, asked); });
    if (port == machine.ports.end()) {
      findings.problems.push_back({"--port", fmt::format("DPDK found no port {}", asked),
                                   fmt::format("use one of: {}", list_ports(machine)), Error::Kind::not_ready});
    } else if (std::ranges::find(selected, port->id, &MachinePort::id) != selected.end()) {
      findings.problems.push_back(
          {"--port", fmt::format("{} is {}, given before", asked, say(*port)), "give each port once"});
    } else {
      selected.push_back(*port);
    }
  }
  return selected;
}

PlannedPort plan_port(const CaptureConfig& config, const MachinePort& port, Findings& findings) {
  PlannedPort planned;
  planned.id = port.id;
  planned.name = port.name;
  planned.driver = port.driver;
  planned.numa_node = port.numa_node;
  planned.promiscuous = config.promiscuous;
  planned.cut_at = port.cut_at;
  plan_queues(config, port, planned, findings);
  plan_buffers(port, plan_mtu(config, port, planned, findings), planned, findings);
  plan_timestamps(config, port, planned, findings);
  plan_rss(config, port, planned, findings);
  remark_on_vf(config, port, findings);
  remark_on_counters(config, port, findings);
  remark_on_cuts(port, findings);
  return planned;
}

}  // namespace wirespool::plan

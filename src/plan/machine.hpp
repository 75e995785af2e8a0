// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace wirespool::plan {

// What a capture runs on, as found (dpdk/probe fills it, tests write it): plain facts, nothing decided.

struct MachineLcore {
  unsigned id = 0;
  int numa_node = -1;
  std::vector<unsigned> cpus;  // it may run on
};

// The kernel's network interface that a virtual device takes its frames from.
struct KernelInterface {
  std::string name;
  unsigned mtu = 0;
  std::vector<std::string> joins_by;  // enabled features that make frames longer than the MTU: gro lro tso gso
  bool veth = false;                  // the other end's features count as well
};

struct MachinePort {
  unsigned id = 0;
  std::string name;    // "net_pcap0", "0000:3b:02.0"
  std::string driver;  // "net_iavf", ...
  int numa_node = -1;
  bool is_vf = false;     // of a PF that this kernel knows
  bool file_fed = false;  // packets come from a file or from memory, so waiting loses none
  unsigned max_rx_queues = 1;
  unsigned max_tx_queues = 1;
  unsigned min_rx_desc = 0, max_rx_desc = 65535, rx_desc_align = 1;
  unsigned default_rx_desc = 0;  // what the driver recommends, 0 if nothing
  unsigned own_ring = 0;         // packets that a queue holds whatever its descriptors are; 0: as many as these
  unsigned speed_mbits = 0;      // the fastest link it can have, in millions of bits a second; 0: not known
  unsigned min_rx_buffer = 0;    // smallest data room the driver takes
  unsigned max_frame = 1518;     // longest frame the device can receive, bytes with FCS
  unsigned mtu = 1500, min_mtu = 0, max_mtu = 65535;  // max: 65535 if the driver does not say
  bool offers_scatter = false;
  bool offers_timestamp = false;
  std::uint64_t rss_functions = 0;  // the device's flow_type_rss_offloads
  std::vector<KernelInterface> interfaces;
  unsigned cut_at = 0;  // the driver silently cuts longer frames to this many bytes; 0: it does not
};

struct MachineDrive {
  std::string path;  // as given
  std::string real_path;
  std::uint64_t device = 0;
  std::string device_name, file_system;
  std::uint32_t block_bytes = 512;
  bool direct_io = true;
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;  // 0: not known
  int numa_node = -1;
};

// What runs the program of --filter: librte_bpf, as machine code or interpreted, or libpcap's interpreter.
enum class FilterEngine { machine_code, ebpf, libpcap };

struct MachineFilter {
  FilterEngine engine = FilterEngine::libpcap;
  std::string why;  // why it is not machine code; empty if it is
};

struct Machine {
  unsigned main_lcore = 0;
  std::vector<MachineLcore> lcores;     // EAL's, the main lcore included
  std::vector<MachinePort> ports;       // every port EAL found, in id order
  std::vector<MachineDrive> drives;     // in --output order
  std::optional<MachineFilter> filter;  // if there is a --filter
};

}  // namespace wirespool::plan

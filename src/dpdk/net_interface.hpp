// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plan/machine.hpp"
#include "stats/counter.hpp"

namespace wirespool::dpdk {

// A network interface of the kernel that a virtual device takes its frames from (net_af_packet, net_pcap, net_tap,
// net_af_xdp): their drivers report neither that its link went down nor that it was deleted, so the kernel is asked.
// Identified by its index, in this process's network namespace: a renamed interface is the same, one that was made anew
// is not. Facts are those of netdevice(7) and <linux/ethtool.h>. Any thread.
class NetInterface {
 public:
  static std::optional<NetInterface> by_index(unsigned index);
  static std::optional<NetInterface> by_name(const std::string& name);

  unsigned index() const { return index_; }
  const std::string& name() const { return name_; }  // when it was found
  bool exists() const;
  bool running() const;  // up, with a carrier

  plan::KernelInterface facts() const;

 private:
  NetInterface(unsigned index, std::string name) : index_(index), name_(std::move(name)) {}

  unsigned index_;
  std::string name_;
};

// The interfaces an ethdev is fed from: its own (rte_eth_dev_info.if_index) and those its arguments name. None for a
// NIC.
std::vector<NetInterface> interfaces_of(std::uint16_t port);

// The packet(7) sockets that a net_af_packet device of this process receives from: DPDK's driver (22.11) does not ask
// them how many frames found its ring full. Control thread.
class PacketSockets {
 public:
  // The sockets of this process that are bound to the interface; the device must be configured already.
  static PacketSockets on_interface(unsigned index);

  // Frames that found the ring full since the sockets were made; nullopt: no socket was found, or one did not answer.
  // The kernel's counter restarts with each reading (PACKET_STATISTICS): this adds them up.
  std::optional<std::uint64_t> dropped();

 private:
  std::vector<int> sockets_;  // the driver's: not closed here
  std::uint64_t dropped_ = 0;
};

// Counts the frames of an RxQueue that have the greatest length its driver passes on: they were cut, except for the
// rare one that is exactly that long. Uses a callback of the queue's receive call, so that other ports pay nothing for
// it. Must outlive the port's being started.
class CutFrames {
 public:
  // Before an lcore polls it. nullptr: this DPDK is built without callbacks.
  static std::unique_ptr<CutFrames> count(std::uint16_t port, std::uint16_t queue, unsigned cut_at);

  std::uint64_t seen() const { return seen_.get(); }  // any thread
  void look_at(std::uint32_t length) {
    if (length >= cut_at_) ++seen_;
  }

 private:
  explicit CutFrames(unsigned cut_at) : cut_at_(cut_at) {}

  unsigned cut_at_;
  stats::Counter seen_;
};

// What this process lacks of what a packet socket with its ring takes (packet(7)), and of what the mode of an interface
// does (netdevice(7)), in words; nullopt: nothing is missing.
std::optional<std::string> lack_for_packet_socket();
std::optional<std::string> lack_for_interface_mode();

}  // namespace wirespool::dpdk

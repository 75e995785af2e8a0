// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_mempool.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "capture/cut_frames.hpp"
#include "capture/net_interface.hpp"
#include "capture/packet_sockets.hpp"
#include "plan/capture_plan.hpp"

namespace wirespool::capture {

// Losses a port knows of, since Port::start.
struct PortLosses {
  std::uint64_t nic_missed = 0, nic_errors = 0, no_mbuf = 0;
  std::optional<std::uint64_t> cut;  // frames of which the driver passed on the beginning; nullopt: it cuts none
};

// An ethdev from configuration to stop, with its pool of mbufs. What the device does not take is left out with a
// notice, as long as packets can still be received. Control thread; the pool is used by lcores.
class Port {
 public:
  static std::expected<Port, plan::Problem> configure(const plan::PlannedPort& planned, unsigned mempool_cache,
                                                      std::vector<std::string>& notices);
  Port(Port&& other) noexcept;
  Port& operator=(Port&&) = delete;
  ~Port();  // stops and closes the device, frees the pool

  std::expected<void, plan::Problem> start(std::vector<std::string>& notices);
  void stop();

  std::uint16_t id() const { return static_cast<std::uint16_t>(planned_.id); }
  const plan::PlannedPort& planned() const { return planned_; }
  rte_mempool* pool() const { return pool_; }

  PortLosses losses() const;
  bool link_up() const;
  std::optional<std::string> gone() const;  // why: hot-unplugged, or the interface it is fed from was deleted

 private:
  explicit Port(const plan::PlannedPort& planned) : planned_(planned) {}

  std::expected<void, plan::Problem> make_pool(unsigned mempool_cache);
  std::expected<void, plan::Problem> configure_device(std::vector<std::string>& notices);
  std::expected<void, plan::Problem> set_up_queues(unsigned mempool_cache, std::vector<std::string>& notices);
  std::string provide_more(int error, unsigned circulating);
  void park_surplus(unsigned circulating);
  void watch_interfaces();
  std::optional<std::uint64_t> cut() const;
  int set_up_rx_queues();
  int set_up_tx_queues();
  std::string say() const;
  plan::Problem refused(const std::string& doing, int error) const;

  plan::PlannedPort planned_;
  rte_mempool* pool_ = nullptr;
  std::vector<void*> parked_;
  std::vector<NetInterface> interfaces_;          // it is fed from; empty for a NIC
  mutable PacketSockets sockets_;                 // of net_af_packet
  std::vector<std::unique_ptr<CutFrames>> cuts_;  // by RX queue; empty unless the driver cuts frames
  PortLosses before_;
  bool started_ = false;
  bool owned_ = true;
};

}  // namespace wirespool::capture

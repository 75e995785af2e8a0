// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_mempool.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dpdk/net_interface.hpp"
#include "dpdk/port_losses.hpp"
#include "dpdk/port_settings.hpp"
#include "plan/capture_plan.hpp"

namespace wirespool::dpdk {

// An ethdev from configuration to stop, with its pool of mbufs. What the device refuses is left out with a notice, as
// long as packets can still be received or, if that was planned (TxQueue), sent. Control thread; the pool is used by
// lcores.
class Port {
 public:
  static std::expected<Port, Error> configure(const plan::PlannedPort& planned, unsigned mempool_cache,
                                              std::vector<std::string>& notices);
  Port(Port&& other) noexcept;
  Port& operator=(Port&&) = delete;
  ~Port();  // stops and closes the device, frees the pool

  std::expected<void, Error> start(std::vector<std::string>& notices);
  // After the device was reset, by its PF or by itself: resets the driver, then configures and starts it as before,
  // with the same pool. No lcore may poll it meanwhile.
  std::expected<void, Error> restart(std::vector<std::string>& notices);
  void stop();

  std::uint16_t id() const { return static_cast<std::uint16_t>(planned_.id); }
  std::string say() const;  // "port 0 (0000:3b:02.0)"
  const plan::PlannedPort& planned() const { return planned_; }
  rte_mempool* pool() const { return pool_; }

  void read_losses();  // from the device; while it is started
  PortLosses& losses() { return *losses_; }
  void tell(format::PortLine& line) const;  // what was lost
  // What left and what did not, by the device's own count since it was started. nullopt: it does not say now.
  struct Sent {
    std::uint64_t packets = 0, bytes = 0, errors = 0;
  };
  std::optional<Sent> sent() const;
  bool link_up() const;
  std::optional<std::string> gone() const;  // why: the interface it is fed from was deleted

 private:
  explicit Port(const plan::PlannedPort& planned) : planned_(planned) {}

  std::expected<void, Error> make_pool(unsigned mempool_cache);
  std::expected<void, Error> configure_device(std::vector<std::string>& notices);
  std::expected<void, Error> ask_for_clock(std::vector<std::string>& notices);
  std::expected<void, Error> need_clock() const;
  void take(const PortSettings& settings);
  std::expected<void, Error> set_up_queues(unsigned mempool_cache, std::vector<std::string>& notices);
  std::string provide_more(int error, unsigned circulating);
  std::expected<void, Error> check_beside_trace(unsigned mempool_cache, unsigned circulating) const;
  void park_surplus(unsigned circulating);
  void watch_interfaces();
  void count_cut_frames();
  void leave_out_what_waits(std::vector<std::string>& notices);
  std::optional<std::uint64_t> cut_by_driver() const;
  int set_up_rx_queues();
  int set_up_tx_queues();
  int start_with_fewer_queues(int error, std::vector<std::string>& notices);
  void set_mtu(std::vector<std::string>& notices);
  void be_promiscuous(std::vector<std::string>& notices);
  void switch_pause_off(std::vector<std::string>& notices);
  void check_rss(std::vector<std::string>& notices);
  Error refused(const std::string& doing, int error) const;
  Error refused_start(int error) const;

  plan::PlannedPort planned_;
  rte_mempool* pool_ = nullptr;
  std::vector<void*> parked_;
  std::vector<NetInterface> interfaces_;  // it is fed from; empty for a NIC
  std::optional<PortLosses> losses_;
  std::vector<std::unique_ptr<CutFrames>> cuts_;  // by RX queue; empty unless the driver cuts frames
  bool started_ = false;
  bool owned_ = true;
};

}  // namespace wirespool::dpdk

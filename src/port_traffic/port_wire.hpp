// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dpdk/port.hpp"
#include "dpdk/tx_queue.hpp"
#include "traffic/addresses.hpp"
#include "traffic/wire.hpp"

namespace wirespool::port_traffic {

// RX and TX queue 0 of a Port: whole Ethernet frames in its mbufs. A Slot's of_wire is its mbuf, and nullptr once a
// device took that.
class PortWire : public traffic::Wire {
 public:
  // `port`: started. Its free mbufs are filled with zeros, so that no payload shows what was in this memory before.
  PortWire(dpdk::Port port, unsigned burst);
  ~PortWire() override;

  traffic::Mac mac() const;
  bool link_up() const { return port_.link_up(); }

  std::string name() const override { return port_.planned().name; }
  bool has_headers() const override { return true; }
  std::uint32_t longest() const override { return port_.planned().mtu + 14 + 4; }
  std::span<traffic::Slot> room(unsigned count) noexcept override;
  unsigned send(std::span<traffic::Slot> slots) noexcept override;
  std::span<traffic::Slot> receive() noexcept override;
  std::optional<std::uint64_t> missed() noexcept override;
  std::optional<Error> problem() const override;

 private:
  // mbufs that lie ready to be sent, or that came and were not given on.
  struct Held {
    explicit Held(unsigned burst) : slots(burst), mbufs(burst) {}
    void give_back() noexcept;

    std::vector<traffic::Slot> slots;
    std::vector<rte_mbuf*> mbufs;  // room for the call
    unsigned count = 0;
  };
  static traffic::Slot slot_of(rte_mbuf* mbuf) noexcept;
  void keep_unsent() noexcept;

  dpdk::Port port_;
  dpdk::TxCounters sent_;
  dpdk::TxQueue queue_;
  Held out_, in_;
  std::vector<rte_mbuf*> sending_;
};

}  // namespace wirespool::port_traffic

// SPDX-License-Identifier: BSD-3-Clause
// The data path: what the port beneath gives, as the persona's device would give it.
#include <fmt/format.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include <algorithm>

#include "nic.hpp"

namespace wirespool::test {
namespace {

eth_rx_burst_t beneath = nullptr;
int stamp_field = -1;
std::uint64_t stamp_flag = 0;

void look_up_stamp_field() {
  stamp_field = rte_mbuf_dynfield_lookup(RTE_MBUF_DYNFIELD_TIMESTAMP_NAME, nullptr);
  const int bit = rte_mbuf_dynflag_lookup(RTE_MBUF_DYNFLAG_RX_TIMESTAMP_NAME, nullptr);
  stamp_flag = bit >= 0 ? std::uint64_t{1} << bit : 0;
}

// Room for this many packets until the script's next step; taken back if there were not as many.
std::uint16_t take_room(Nic& nic, std::uint16_t wanted) {
  std::uint64_t given = nic.given.load();
  for (;;) {
    const std::uint64_t gate = nic.gate.load();
    const auto room = static_cast<std::uint16_t>(gate > given ? std::min<std::uint64_t>(wanted, gate - given) : 0);
    if (room == 0 || nic.given.compare_exchange_weak(given, given + room)) return room;
  }
}

unsigned number_of(const void* queue) {
  unsigned number = 0;
  while (rte_eth_fp_ops[Nic::port].rxq.data[number] != queue) ++number;
  return number;
}

void stamp(Nic& nic, unsigned queue, rte_mbuf& mbuf) {
  if (!nic.stamps_on || nic.persona.stamps == Persona::Clock::none || stamp_field < 0) return;
  std::uint64_t ticks = nic.clock(nic.persona.stamps);
  if (nic.offset_packets > 0) {
    --nic.offset_packets;
    ticks += static_cast<std::uint64_t>(nic.stamp_offset.load());
  }
  if (nic.persona.queue_lag_ns > 0) {
    ticks -= queue * nic.persona.queue_lag_ns;
    nic.log(fmt::format("stamp {} {}", queue, ticks));
  }
  *RTE_MBUF_DYNFIELD(&mbuf, stamp_field, std::uint64_t*) = ticks;
  mbuf.ol_flags |= stamp_flag;
}

std::uint16_t receive(void* queue, rte_mbuf** mbufs, std::uint16_t count) {
  Nic& nic = *Nic::get();
  if (nic.deaf) return 0;
  // What a vector driver does not round down to is left in the ring; the script's steps may ask for less.
  if (count < nic.persona.burst_step) return 0;
  const std::uint16_t room = take_room(nic, static_cast<std::uint16_t>(count - count % nic.persona.burst_step));
  // Asked again: the step that makes it deaf may have come, and the gate been opened, since.
  const std::uint16_t received = room && !nic.deaf ? beneath(queue, mbufs, room) : std::uint16_t{0};
  nic.given -= room - received;
  for (std::uint16_t i = 0; i < received; ++i) {
    if (nic.persona.strips_vlan) (void)rte_vlan_strip(mbufs[i]);
    stamp(nic, number_of(queue), *mbufs[i]);
  }
  return received;
}

}  // namespace

void replace_receive(Nic& nic) {
  auto& operations = rte_eth_fp_ops[Nic::port];
  look_up_stamp_field();
  if (operations.rx_pkt_burst != receive) beneath = operations.rx_pkt_burst;
  operations.rx_pkt_burst = receive;
  nic.deaf = false;
}

}  // namespace wirespool::test

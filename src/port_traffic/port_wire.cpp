// SPDX-License-Identifier: BSD-3-Clause
#include "port_traffic/port_wire.hpp"

#include <rte_ethdev.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "dpdk/mbuf.hpp"
#include "format/ledger_line.hpp"

namespace wirespool::port_traffic {

using traffic::Slot;

namespace {

// Those that are free: others may be a trace that the driver keeps.
void fill_with_zeros(rte_mempool* pool) {
  std::vector<rte_mbuf*> free_ones;
  while (rte_mbuf* const mbuf = rte_pktmbuf_alloc(pool)) {
    std::memset(mbuf->buf_addr, 0, mbuf->buf_len);
    free_ones.push_back(mbuf);
  }
  rte_pktmbuf_free_bulk(free_ones.data(), static_cast<unsigned>(free_ones.size()));
}

}  // namespace

PortWire::PortWire(dpdk::Port port, unsigned burst)
    : port_(std::move(port)), queue_(port_, 0, sent_), out_(burst), in_(burst), sending_(burst) {
  fill_with_zeros(port_.pool());
}

PortWire::~PortWire() {
  out_.give_back();
  in_.give_back();
}

void PortWire::Held::give_back() noexcept {
  unsigned left = 0;
  for (const auto& slot : std::span(slots).first(count))
    if (slot.of_wire != nullptr) mbufs[left++] = static_cast<rte_mbuf*>(slot.of_wire);
  if (left > 0) rte_pktmbuf_free_bulk(mbufs.data(), left);
  count = 0;
}

traffic::Mac PortWire::mac() const {
  rte_ether_addr address{};
  (void)rte_eth_macaddr_get(port_.id(), &address);
  traffic::Mac mac;
  std::memcpy(mac.data(), address.addr_bytes, mac.size());
  return mac;
}

Slot PortWire::slot_of(rte_mbuf* mbuf) noexcept {
  Slot slot{.data = rte_pktmbuf_mtod(mbuf, std::byte*), .bytes = mbuf->pkt_len};
  // A frame in several pieces that cannot be made one is nobody's.
  if (mbuf->nb_segs > 1 && rte_pktmbuf_linearize(mbuf) != 0) slot.bytes = 0;
  slot.of_wire = mbuf;
  return slot;
}

// Those that no device took come first, to be filled anew.
void PortWire::keep_unsent() noexcept {
  unsigned left = 0;
  for (unsigned i = 0; i < out_.count; ++i)
    if (out_.slots[i].of_wire != nullptr) out_.slots[left++] = out_.slots[i];
  out_.count = left;
}

std::span<Slot> PortWire::room(unsigned count) noexcept {
  keep_unsent();
  count = std::min<unsigned>(count, static_cast<unsigned>(out_.slots.size()));
  if (out_.count < count) {
    const unsigned more = count - out_.count;
    if (rte_pktmbuf_alloc_bulk(port_.pool(), out_.mbufs.data(), more) != 0) return {};
    for (unsigned i = 0; i < more; ++i) {
      out_.slots[out_.count + i] = {};
      out_.slots[out_.count + i].of_wire = out_.mbufs[i];
    }
    out_.count = count;
  }
  for (auto& slot : std::span(out_.slots).first(count)) {
    auto* const mbuf = static_cast<rte_mbuf*>(slot.of_wire);
    slot = {.data = rte_pktmbuf_mtod(mbuf, std::byte*)};
    slot.of_wire = mbuf;
  }
  return std::span(out_.slots).first(count);
}

unsigned PortWire::send(std::span<Slot> slots) noexcept {
  slots = slots.first(std::min(slots.size(), sending_.size()));
  for (std::size_t i = 0; i < slots.size(); ++i) {
    sending_[i] = static_cast<rte_mbuf*>(slots[i].of_wire);
    sending_[i]->data_len = static_cast<std::uint16_t>(slots[i].bytes);
    sending_[i]->pkt_len = slots[i].bytes;
  }
  const unsigned taken = queue_.send(std::span(sending_).first(slots.size()));
  for (auto& slot : slots.first(taken)) slot.of_wire = nullptr;
  return taken;
}

std::span<Slot> PortWire::receive() noexcept {
  in_.give_back();
  const unsigned count =
      rte_eth_rx_burst(port_.id(), 0, in_.mbufs.data(), static_cast<std::uint16_t>(in_.mbufs.size()));
  if (count == 0) return {};
  (void)dpdk::put_tags_back(in_.mbufs.data(), count);
  for (unsigned i = 0; i < count; ++i) in_.slots[i] = slot_of(in_.mbufs[i]);
  in_.count = count;
  return std::span(in_.slots).first(count);
}

std::optional<std::uint64_t> PortWire::missed() noexcept {
  port_.read_losses();
  format::PortLine line;
  port_.tell(line);
  if (!line.nic_missed) return std::nullopt;
  return *line.nic_missed + line.no_mbuf.value_or(0);
}

std::optional<Error> PortWire::problem() const {
  if (const auto why = port_.gone()) return Error{port_.say(), *why, "", Error::Kind::failed};
  return std::nullopt;
}

}  // namespace wirespool::port_traffic

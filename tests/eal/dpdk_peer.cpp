// SPDX-License-Identifier: BSD-3-Clause
// The other end of a virtual wire: sends a pcap file out of DPDK's first port, waiting wherever the wire is full, then
// keeps the port until a signal ends it.
//   dpdk_peer EAL_OPTION... -- TRACE
// Prints "sending" once its port runs and "sent N" when all is on the wire.
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "support/trace.hpp"

using wirespool::PacketView;

namespace {

constexpr std::uint16_t port = 0, data_room = 9216 + RTE_PKTMBUF_HEADROOM;

[[noreturn]] void give_up(const char* doing) { throw std::runtime_error(doing); }

rte_mempool* start_port() {
  auto* pool = rte_pktmbuf_pool_create("peer", 4095, 0, 0, data_room, SOCKET_ID_ANY);
  if (pool == nullptr) give_up("making a pool");
  const rte_eth_conf conf{};
  if (rte_eth_dev_configure(port, 1, 1, &conf) != 0) give_up("configuring the port");
  if (rte_eth_rx_queue_setup(port, 0, 1024, SOCKET_ID_ANY, nullptr, pool) != 0) give_up("setting up its RX queue");
  if (rte_eth_tx_queue_setup(port, 0, 1024, SOCKET_ID_ANY, nullptr) != 0) give_up("setting up its TX queue");
  if (rte_eth_dev_start(port) != 0) give_up("starting the port");
  return pool;
}

void wait_for_link() {
  rte_eth_link link{};
  while (rte_eth_link_get_nowait(port, &link) != 0 || link.link_status != RTE_ETH_LINK_UP) usleep(10'000);
}

rte_mbuf* frame_of(rte_mempool* pool, const PacketView& packet) {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool);
  if (mbuf == nullptr) give_up("no free mbuf");
  char* data = rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(packet.bytes.size()));
  if (data == nullptr) give_up("a frame that is too long");
  std::memcpy(data, packet.bytes.data(), packet.bytes.size());
  return mbuf;
}

void send(const wirespool::test::Trace& trace, rte_mempool* pool) {
  for (std::size_t i = 0; i < trace.size(); ++i) {
    rte_mbuf* mbuf = frame_of(pool, trace[i]);
    while (rte_eth_tx_burst(port, 0, &mbuf, 1) == 0) usleep(10);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int used = rte_eal_init(argc, argv);
    if (used < 0 || used + 1 >= argc) give_up("usage: dpdk_peer EAL_OPTION... -- TRACE");
    const auto trace = wirespool::test::read_pcap(argv[used + 1]);
    auto* pool = start_port();
    wait_for_link();
    std::printf("sending\n");
    std::fflush(stdout);
    send(trace, pool);
    std::printf("sent %zu\n", trace.size());
    std::fflush(stdout);
    pause();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dpdk_peer: %s\n", error.what());
    return 1;
  }
}

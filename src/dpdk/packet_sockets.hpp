// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace wirespool::dpdk {

// The packet(7) sockets that a net_af_packet device of this process receives from: DPDK's driver (22.11) does not ask
// them how many frames found its ring full. Control thread.
class PacketSockets {
 public:
  // Those of this process that are bound to the interface; the device is configured already.
  static PacketSockets on_interface(unsigned index);

  // Frames that found the ring full since the sockets were made; nullopt: no socket was found, or one did not answer.
  // The kernel forgets what it has told (PACKET_STATISTICS): this remembers.
  std::optional<std::uint64_t> dropped();

 private:
  std::vector<int> sockets_;  // the driver's: not closed here
  std::uint64_t dropped_ = 0;
};

}  // namespace wirespool::dpdk

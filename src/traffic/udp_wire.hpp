// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <netinet/in.h>
#include <poll.h>

#include <atomic>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "storage/file_descriptor.hpp"
#include "traffic/interface.hpp"
#include "traffic/request.hpp"
#include "traffic/socket_batch.hpp"
#include "traffic/wire.hpp"

namespace wirespool::traffic {

// UDP sockets, one a flow: the kernel makes headers. Sent without checksums (socket(7), SO_NO_CHECK), as raw frames
// are. Needs no privilege.
class UdpWire : public Wire {
 public:
  // `sockets`: on so many ports from the local one on. The MAC addresses that were given must be those that the kernel
  // uses: an Error if not.
  static std::expected<std::unique_ptr<UdpWire>, Error> open(const Ends& ends, unsigned sockets,
                                                             const SocketManner& manner, bool sends_first);

  std::string name() const override;
  bool has_headers() const override { return false; }
  std::uint32_t longest() const override { return interface_.longest(false); }
  std::span<Slot> room(unsigned count) noexcept override;
  unsigned send(std::span<Slot> slots) noexcept override;
  std::span<Slot> receive() noexcept override;
  std::optional<std::uint64_t> missed() noexcept override;
  std::optional<Error> problem() const override;

 private:
  UdpWire(std::vector<storage::FileDescriptor> sockets, Interface interface, const Ends& ends,
          const SocketManner& manner);

  void wait_for_any() noexcept;

  std::vector<storage::FileDescriptor> sockets_;
  std::vector<pollfd> waits_;  // empty unless several sockets are waited for
  Interface interface_;
  Ends ends_;
  sockaddr_in remote_{};
  OutBatch out_;
  InBatch in_;
  std::size_t turn_ = 0;  // which socket is asked next
  std::vector<std::atomic<std::uint32_t>> missed_;
  std::atomic<int> error_{0};
};

}  // namespace wirespool::traffic

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <string>

#include "storage/file_descriptor.hpp"
#include "traffic/interface.hpp"
#include "traffic/socket_batch.hpp"
#include "traffic/wire.hpp"

namespace wirespool::traffic {

// A packet socket (packet(7)) on one interface: whole Ethernet frames, VLAN tags included. Needs CAP_NET_RAW.
class RawWire : public Wire {
 public:
  struct Use {
    bool receives = true;
    bool everything = false;  // all that passes, and not only what is addressed to the interface (promiscuous)
    bool tagged = false;      // frames have a VLAN tag beyond the MTU
  };
  static std::expected<std::unique_ptr<RawWire>, Error> open(const std::string& name, const SocketManner& manner,
                                                             const Use& use);

  const Interface& interface() const { return interface_; }
  std::string name() const override { return interface_.name; }
  bool has_headers() const override { return true; }
  std::uint32_t longest() const override { return interface_.longest(use_.tagged); }
  bool fits(std::span<const std::byte> frame) const noexcept override;
  std::span<Slot> room(unsigned count) noexcept override { return out_.room(count); }
  unsigned send(std::span<Slot> slots) noexcept override;
  std::span<Slot> receive() noexcept override;
  std::optional<std::uint64_t> missed() noexcept override;
  std::optional<Error> problem() const override;

 private:
  RawWire(storage::FileDescriptor socket, Interface interface, const SocketManner& manner, const Use& use);
  Slot frame_at(std::size_t index) noexcept;

  storage::FileDescriptor socket_;
  Interface interface_;
  Use use_;
  OutBatch out_;
  InBatch in_;
  std::uint64_t missed_ = 0;  // by whoever asks
  std::atomic<int> error_{0};
};

}  // namespace wirespool::traffic

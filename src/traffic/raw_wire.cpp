// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/raw_wire.hpp"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "traffic/frames.hpp"

namespace wirespool::traffic {
namespace {

// Longer frames than the MTU come where the kernel joins several (GRO): they are received whole, and counted.
constexpr std::uint32_t longest_joined = 65536 + 22;

Error no_socket(const std::string& name, int error) {
  if (error == EPERM)
    return {name, "raw sockets need CAP_NET_RAW", "run as root, or setcap cap_net_raw+ep on the program",
            Error::Kind::not_ready};
  return {name, std::string("packet socket: ") + std::strerror(error), "", Error::Kind::not_ready};
}

bool turn_on(int fd, int option) {
  const int on = 1;
  return ::setsockopt(fd, SOL_PACKET, option, &on, sizeof on) == 0;
}

bool set_up(int fd, const Interface& interface, const RawWire::Use& use) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(use.receives ? ETH_P_ALL : 0);
  address.sll_ifindex = interface.index;
  set_up_socket(fd);
  if (use.receives && (!turn_on(fd, PACKET_AUXDATA) || !turn_on(fd, PACKET_IGNORE_OUTGOING))) return false;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  if (!use.everything) return true;
  packet_mreq membership{};
  membership.mr_ifindex = interface.index;
  membership.mr_type = PACKET_MR_PROMISC;
  return ::setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) == 0;
}

std::optional<tpacket_auxdata> auxiliary(const msghdr& message) {
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(const_cast<msghdr*>(&message), part)) {
    if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata data;
    std::memcpy(&data, CMSG_DATA(part), sizeof data);
    return data;
  }
  return std::nullopt;
}

// Puts back the tag that the kernel took out of the frame; there is room in front of it.
std::byte* put_tag_back(std::byte* frame, const tpacket_auxdata& data) {
  const bool has_type = (data.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0;
  const std::uint16_t tag[2] = {htons(has_type ? data.tp_vlan_tpid : ETH_P_8021Q), htons(data.tp_vlan_tci)};
  auto* front = frame - tag_bytes;
  std::memmove(front, frame, 12);
  std::memcpy(front + 12, tag, sizeof tag);
  return front;
}

}  // namespace

std::expected<std::unique_ptr<RawWire>, Error> RawWire::open(const std::string& name, const SocketManner& manner,
                                                             const Use& use) {
  auto interface = find_interface(name);
  if (!interface) return std::unexpected(interface.error());
  storage::FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket) return std::unexpected(no_socket(name, errno));
  if (!set_up(socket.get(), *interface, use)) return std::unexpected(no_socket(name, errno));
  return std::unique_ptr<RawWire>(new RawWire(std::move(socket), std::move(*interface), manner, use));
}

RawWire::RawWire(storage::FileDescriptor socket, Interface interface, const SocketManner& manner, const Use& use)
    : socket_(std::move(socket)),
      interface_(std::move(interface)),
      use_(use),
      out_(manner, longest()),
      in_(manner, use.receives ? (use.everything ? longest_joined : longest() + 4) : 64) {}

// The kernel takes four bytes more than the MTU of what has an 802.1Q tag, and of nothing else (packet_snd in
// net/packet/af_packet.c).
bool RawWire::fits(std::span<const std::byte> frame) const noexcept {
  if (frame.size() < shortest_sent) return false;
  const bool tagged = frame[12] == std::byte{0x81} && frame[13] == std::byte{0x00};
  return frame.size() <= interface_.longest(tagged);
}

unsigned RawWire::send(std::span<Slot> slots) noexcept {
  int error = 0;
  unsigned sent = 0;
  while (sent < slots.size() && error == 0) sent += out_.send(socket_.get(), slots.subspan(sent), false, error);
  if (error != 0 && !may_take_later(error)) error_ = error;
  return sent;
}

Slot RawWire::frame_at(std::size_t index) noexcept {
  Slot slot{.data = in_.data(index), .bytes = in_.bytes(index)};
  if ((in_.message(index).msg_flags & MSG_TRUNC) != 0) return {.data = slot.data};
  const auto data = auxiliary(in_.message(index));
  if (!data) return slot;
  if ((data->tp_status & TP_STATUS_CSUMNOTREADY) != 0) complete_checksum({slot.data, slot.bytes});
  if ((data->tp_status & TP_STATUS_VLAN_VALID) == 0) return slot;
  slot.data = put_tag_back(slot.data, *data);
  slot.bytes += static_cast<std::uint32_t>(tag_bytes);
  return slot;
}

std::span<Slot> RawWire::receive() noexcept {
  int error = 0;
  const auto count = in_.receive(socket_.get(), error);
  if (error != 0 && !may_take_later(error)) error_ = error;
  const auto slots = in_.slots(count);
  for (std::size_t i = 0; i < count; ++i) slots[i] = frame_at(i);
  return slots;
}

// Reading the kernel's counters sets them to 0 (packet(7), PACKET_STATISTICS).
std::optional<std::uint64_t> RawWire::missed() noexcept {
  tpacket_stats counts{};
  socklen_t length = sizeof counts;
  if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &counts, &length) != 0) return std::nullopt;
  return missed_ += counts.tp_drops;
}

std::optional<Error> RawWire::problem() const {
  const int error = error_;
  if (error == 0) return std::nullopt;
  return Error{interface_.name, error == ENETDOWN ? "the interface went down" : std::strerror(error), "",
               Error::Kind::failed};
}

}  // namespace wirespool::traffic

// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/udp_wire.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <numeric>

namespace wirespool::traffic {
namespace {

using storage::FileDescriptor;

sockaddr_in socket_address(std::uint32_t ip, unsigned port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(ip);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

Error cannot_bind(const Ends& ends, unsigned port, int error) {
  const auto what = fmt::format("{}:{}", address_text(ends.local_ip), port);
  if (error == EADDRINUSE)
    return {what, "this address is in use", "another program has it (ss -ulpn): end it, or give another --port-local",
            Error::Kind::not_ready};
  if (error == EACCES)
    return {what, "no permission for this port", "give a --port-local from 1024 on, or CAP_NET_BIND_SERVICE",
            Error::Kind::not_ready};
  return {what, std::strerror(error), "", Error::Kind::not_ready};
}

std::expected<FileDescriptor, Error> open_socket(const Ends& ends, unsigned port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int on = 1, ttl = 64;
  if (!socket) return std::unexpected(cannot_bind(ends, port, errno));
  set_up_socket(socket.get());
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on);
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  (void)::setsockopt(socket.get(), IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
  const auto address = socket_address(ends.local_ip, port);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return std::unexpected(cannot_bind(ends, port, errno));
  return socket;
}

Error wrong_mac(const char* operand, std::uint32_t ip, const Mac& is, const Mac& given) {
  return {operand, fmt::format("{} has {}, not {}", address_text(ip), text_of(is), text_of(given)),
          fmt::format("give that, or - for whichever it has")};
}

std::optional<Error> check_macs(const Ends& ends, const Interface& interface, bool sends_first) {
  if (ends.local_mac && *ends.local_mac != interface.mac)
    return wrong_mac("LOCAL_MAC", ends.local_ip, interface.mac, *ends.local_mac);
  if (!sends_first) return std::nullopt;
  const auto remote = ask_for_mac(interface, ends.remote_ip);
  if (!remote) return remote.error();
  if (*remote && ends.remote_mac && **remote != *ends.remote_mac)
    return wrong_mac("REMOTE_MAC", ends.remote_ip, **remote, *ends.remote_mac);
  return std::nullopt;
}

// How many datagrams the socket has dropped so far, as the kernel says beside one (socket(7), SO_RXQ_OVFL).
std::optional<std::uint32_t> overflow(const msghdr& message) {
  for (auto* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(const_cast<msghdr*>(&message), part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_RXQ_OVFL) continue;
    std::uint32_t count;
    std::memcpy(&count, CMSG_DATA(part), sizeof count);
    return count;
  }
  return std::nullopt;
}

}  // namespace

std::expected<std::unique_ptr<UdpWire>, Error> UdpWire::open(const Ends& ends, unsigned sockets,
                                                             const SocketManner& manner, bool sends_first) {
  auto interface = interface_of(ends.local_ip);
  if (!interface) return std::unexpected(interface.error());
  if (const auto wrong = check_macs(ends, *interface, sends_first)) return std::unexpected(*wrong);
  std::vector<FileDescriptor> opened;
  for (unsigned i = 0; i < sockets; ++i) {
    auto socket = open_socket(ends, ends.local_port + i);
    if (!socket) return std::unexpected(socket.error());
    opened.push_back(std::move(*socket));
  }
  return std::unique_ptr<UdpWire>(new UdpWire(std::move(opened), std::move(*interface), ends, manner));
}

UdpWire::UdpWire(std::vector<FileDescriptor> sockets, Interface interface, const Ends& ends, const SocketManner& manner)
    : sockets_(std::move(sockets)),
      interface_(std::move(interface)),
      ends_(ends),
      remote_(socket_address(ends.remote_ip, ends.remote_port)),
      out_(manner, longest()),
      in_({manner.burst, manner.many, manner.wait && sockets_.size() == 1}, longest()),
      missed_(sockets_.size()) {
  if (!manner.wait || sockets_.size() == 1) return;
  for (const auto& socket : sockets_) waits_.push_back({socket.get(), POLLIN, 0});
}

std::string UdpWire::name() const { return fmt::format("{}:{}", address_text(ends_.local_ip), ends_.local_port); }

std::span<Slot> UdpWire::room(unsigned count) noexcept {
  const auto slots = out_.room(count);
  for (auto& slot : slots) slot.of_wire = &remote_;
  return slots;
}

// Neighbours of one flow go in one call.
unsigned UdpWire::send(std::span<Slot> slots) noexcept {
  int error = 0;
  unsigned sent = 0;
  while (sent < slots.size() && error == 0) {
    const auto rest = slots.subspan(sent);
    std::size_t run = 1;
    while (run < rest.size() && rest[run].flow == rest[0].flow) ++run;
    sent += out_.send(sockets_[rest[0].flow % sockets_.size()].get(), rest.first(run), true, error);
  }
  if (error != 0 && !may_take_later(error)) error_ = error;
  return sent;
}

// Until one of the sockets has something, or 100 ms: that one's turn is next.
void UdpWire::wait_for_any() noexcept {
  constexpr int longest_ms = 100;
  if (::poll(waits_.data(), waits_.size(), longest_ms) <= 0) return;
  for (std::size_t i = 0; i < waits_.size() && waits_[turn_].revents == 0; ++i) turn_ = (turn_ + 1) % waits_.size();
}

std::span<Slot> UdpWire::receive() noexcept {
  int error = 0;
  if (!waits_.empty()) wait_for_any();
  const auto index = turn_;
  turn_ = (turn_ + 1) % sockets_.size();
  const auto count = in_.receive(sockets_[index].get(), error);
  if (error != 0 && !may_take_later(error)) error_ = error;
  const auto slots = in_.slots(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& from = reinterpret_cast<sockaddr_in&>(in_.address(i));
    const bool other = ntohl(from.sin_addr.s_addr) != ends_.remote_ip;
    if (const auto dropped = overflow(in_.message(i))) missed_[index].store(*dropped, std::memory_order_relaxed);
    const bool whole = (in_.message(i).msg_flags & MSG_TRUNC) == 0;
    slots[i] = {.data = in_.data(i), .bytes = other || !whole ? 0 : in_.bytes(i), .of_wire = &from};
  }
  return slots;
}

std::optional<std::uint64_t> UdpWire::missed() noexcept {
  std::uint64_t sum = 0;
  for (const auto& one : missed_) sum += one.load(std::memory_order_relaxed);
  return sum;
}

std::optional<Error> UdpWire::problem() const {
  const int error = error_;
  if (error == 0) return std::nullopt;
  return Error{name(), std::strerror(error), "", Error::Kind::failed};
}

}  // namespace wirespool::traffic

// SPDX-License-Identifier: BSD-3-Clause
#include "frame_sender.hpp"

#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace wirespool::test {
namespace {

int bound_socket(const std::string& interface) {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);  // protocol 0: sends, receives nothing
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (fd >= 0 && address.sll_ifindex != 0 && bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return fd;
  if (fd >= 0) close(fd);
  return -1;
}

// setns(2) moves the calling thread only; a socket stays in the namespace it was made in.
int socket_in(const NetNamespace& where, const std::string& interface) {
  int fd = -1;
  std::thread([&] {
    const int ns = open(("/run/netns/" + where.name()).c_str(), O_RDONLY | O_CLOEXEC);
    if (ns >= 0 && setns(ns, CLONE_NEWNET) == 0) fd = bound_socket(interface);
    if (ns >= 0) close(ns);
  }).join();
  return fd;
}

}  // namespace

FrameSender::FrameSender(const NetNamespace* where, const std::string& interface)
    : socket_(where ? socket_in(*where, interface) : bound_socket(interface)) {
  if (socket_ < 0) throw std::runtime_error("no packet socket on " + interface + ": " + std::strerror(errno));
}

FrameSender::~FrameSender() { close(socket_); }

void FrameSender::send(const PacketView& frame) const {
  while (::send(socket_, frame.bytes.data(), frame.bytes.size(), 0) < 0) {
    if (errno != ENOBUFS && errno != EINTR)
      throw std::runtime_error("sending " + std::to_string(frame.bytes.size()) + " bytes: " + std::strerror(errno));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

bool send_windowed(const FrameSender& sender, const Trace& trace, LiveCapture& capture, std::size_t window) {
  const auto before = capture.total("received");
  for (std::size_t sent = 0; sent < trace.size();) {
    const auto until = std::min(trace.size(), sent + window);
    for (; sent < until; ++sent) sender.send(trace[sent]);
    if (!capture.wait_for_total("received", before + sent, Seconds(20))) return false;
  }
  return true;
}

}  // namespace wirespool::test

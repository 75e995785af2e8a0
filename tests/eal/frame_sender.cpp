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
#include <chrono>
#include <cstring>
#include <set>
#include <stdexcept>
#include <thread>

#include "support/spool_files.hpp"

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

std::string bytes_of(const PacketView& packet) {
  return {reinterpret_cast<const char*>(packet.bytes.data()), packet.bytes.size()};
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

bool TraceSender::send_until(std::size_t end) {
  auto next = std::chrono::steady_clock::now();
  for (; sent_ < end; ++sent_) {
    if (per_second_ && sent_ % 8 == 0)
      std::this_thread::sleep_until(next += std::chrono::nanoseconds(std::chrono::seconds(8)) / per_second_);
    if (sent_ % 64 == 0 && sent_ > ahead_ && !capture_.wait_for_total("received", sent_ - ahead_)) return false;
    sender_.send(trace_[sent_]);
  }
  return capture_.wait_for_total("received", sent_);
}

TraceSender::Found TraceSender::found_in(const Paths& directories) const {
  std::set<std::string> sent, found;
  for (std::size_t i = 0; i < sent_; ++i) sent.insert(bytes_of(trace_[i]));
  Found all;
  const auto stored = read_spool(directories);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    auto bytes = bytes_of(stored[i]);
    if (!sent.contains(bytes))
      ++all.strange;
    else if (!found.insert(std::move(bytes)).second)
      ++all.doubled;
  }
  all.frames = found.size();
  return all;
}

}  // namespace wirespool::test

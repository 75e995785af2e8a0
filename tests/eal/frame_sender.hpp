// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>

#include "capture_run.hpp"
#include "support/network.hpp"
#include "support/trace.hpp"

namespace wirespool::test {

// Sends frames out of a network interface by a packet(7) socket.
class FrameSender {
 public:
  // `where`: the namespace the interface is in; nullptr: the test's own. Throws std::runtime_error.
  FrameSender(const NetNamespace* where, const std::string& interface);
  FrameSender(const FrameSender&) = delete;
  FrameSender& operator=(const FrameSender&) = delete;
  ~FrameSender();

  void send(const PacketView& frame) const;

 private:
  int socket_ = -1;
};

// Sends the trace to a running capture, never more than `window` frames ahead of what its ledger calls received:
// fabrics that drop what does not fit lose nothing then, however busy the machine. False: the capture fell silent.
bool send_windowed(const FrameSender& sender, const Trace& trace, LiveCapture& capture, std::size_t window = 256);

// Sends a trace to a running capture bit by bit, so that something can happen in between, and knows what of it was
// found again.
class TraceSender {
 public:
  // Never more than about `ahead` frames ahead of what is received, and `per_second` at most; 0: as fast as that goes.
  TraceSender(const std::string& interface, Trace trace, LiveCapture& capture, std::size_t ahead = 64,
              std::size_t per_second = 0)
      : sender_(nullptr, interface),
        trace_(std::move(trace)),
        capture_(capture),
        ahead_(ahead),
        per_second_(per_second) {}

  // Up to frame `end`, until they are received. False: the capture receives nothing any more.
  bool send_until(std::size_t end);
  std::size_t sent() const { return sent_; }

  // What sealed files of these directories hold, by libpcap.
  struct Found {
    std::size_t frames = 0;   // of those sent, each once
    std::size_t doubled = 0;  // besides
    std::size_t strange = 0;  // that were not sent
  };
  Found found_in(const Paths& directories) const;

 private:
  FrameSender sender_;
  Trace trace_;
  LiveCapture& capture_;
  std::size_t ahead_, per_second_;
  std::size_t sent_ = 0;
};

}  // namespace wirespool::test

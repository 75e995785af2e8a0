// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

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

}  // namespace wirespool::test

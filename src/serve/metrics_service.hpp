// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <string>

#include "format/ledger_line.hpp"
#include "serve/exposition.hpp"
#include "wirespool/error.hpp"

namespace wirespool::serve {

// What a client can take of a capture, whatever it does: so many are served at a time, each within so long, of which
// its request has so long and may have so many bytes, head and body. One request a connection. Whoever comes meanwhile
// waits in the kernel's queue (listen(2)), and takes no descriptor of ours.
struct ServiceLimits {
  unsigned clients = 8;
  std::chrono::milliseconds connection{5'000}, request{2'000};
  std::size_t request_bytes = 4096;
  std::chrono::milliseconds silence{5'000};  // so long without a ledger line is no trouble, whatever the interval
};

// GET /metrics: the newest ledger line as metrics. GET /healthz: 200 while lines come, 503 when none has come for three
// intervals, and for `silence` at least. Threads of its own answer, from a copy: neither a client nor how many there
// are is ever waited for by who publishes, and the end of a service waits for none.
class MetricsService {
 public:
  virtual ~MetricsService() = default;  // ends connections and threads at once

  // Control thread, once: whoever connected since bind_metrics() is answered from now on, on the CPUs of the caller.
  // Why it cannot be: no thread is to be had.
  virtual std::expected<void, Error> start(AboutCapture about, std::chrono::nanoseconds interval) = 0;

  virtual void publish(const format::LedgerLine& line) = 0;  // control thread
};

// Takes the address ("127.0.0.1:9100", "[::1]:9100"; numbers, names are not looked up), so that nobody else can.
// Without cpp-httplib (-Dmetrics=disabled) an Error that says so.
std::expected<std::unique_ptr<MetricsService>, Error> bind_metrics(const std::string& address,
                                                                   const ServiceLimits& limits = {});

}  // namespace wirespool::serve

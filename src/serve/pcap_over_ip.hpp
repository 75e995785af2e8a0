// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "serve/spool_service.hpp"
#include "storage/speaker.hpp"
#include "wirespool/error.hpp"

namespace wirespool::serve {

// Pcap-over-IP: who connects is sent a pcap stream and asked for nothing, as Wireshark (TCP@host:port), Zeek, Arkime
// and others take it: all that is stored, oldest first, then what is stored while it stays. What a client takes slowly
// is read slowly, for it alone. The protocol has neither encryption nor names: hence the loopback, and nothing else.
class PcapOverIp {
 public:
  virtual ~PcapOverIp() = default;

  // Takes the address of `options.pcap_over_ip`. Audit lines go to `log`, which outlives this.
  static std::expected<std::unique_ptr<PcapOverIp>, Error> bind(const SpoolServiceOptions& options,
                                                                storage::Speaker& log);

  virtual std::expected<void, Error> start() = 0;          // as of a SpoolService
  virtual bool end(std::chrono::nanoseconds longest) = 0;  // the same
};

// What is asked for that is not to be had; nullopt: nothing.
std::optional<Error> wrong_pcap_over_ip(const SpoolServiceOptions& options);

}  // namespace wirespool::serve

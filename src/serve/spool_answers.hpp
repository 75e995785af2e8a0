// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "serve/audit.hpp"
#include "serve/exchange.hpp"
#include "serve/spool_service.hpp"
#include "tools/extract.hpp"
#include "tools/keep.hpp"
#include "wirespool/error.hpp"

namespace wirespool::serve {

// {"what","why","what_to_do"} as JSON.
Answer error_answer(int status, const Error& error);
Answer error_answer(int status);  // in a few words of HTTP's

// A query while it is answered.
struct QueryRun {
  const std::atomic<bool>& stop;  // then it ends, and its answer is not whole
  AuditEntry& audit;
  std::uint64_t most_bytes;  // of the packets that are sent
};

// What is asked of the files of some directories. Whatever a request says, nothing outside of these is read: captures
// are known by their names, and files by none but to release their pins. Any number of threads.
class SpoolAnswers {
 public:
  explicit SpoolAnswers(const SpoolServiceOptions& options)
      : directories_(options.directories), allow_keep_(options.allow_keep) {
    if (options.pcap_over_ip) pcap_over_ip_ = options.pcap_over_ip->address;
  }

  // What of it reads packets, and so takes long.
  static bool reads_packets(const Request& request);

  // The page, and the description of all this: the same for everybody, and of no capture.
  static std::optional<Answer> page(const Request& request);

  // `run` outlives the answer.
  Answer answer(const Request& request, QueryRun& run) const;

 private:
  Answer captures(const Request& request) const;
  Answer ledger(const Request& request, QueryRun& run) const;
  Answer extract(const Request& request, QueryRun& run) const;
  Answer stenographer(const Request& request, QueryRun& run) const;  // POST /query
  Answer stream(tools::ExtractOptions options, QueryRun& run) const;
  Answer estimate(const Request& request, QueryRun& run) const;
  Answer verify(const Request& request, QueryRun& run) const;
  Answer service(const Request& request) const;
  Answer pins(const Request& request, QueryRun& run) const;
  Answer keep(const std::expected<tools::KeepOptions, Error>& wanted, QueryRun& run) const;

  std::vector<std::string> directories_;
  bool allow_keep_;
  std::optional<std::string> pcap_over_ip_ = {};
};

}  // namespace wirespool::serve

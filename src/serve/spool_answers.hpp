// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "serve/audit.hpp"
#include "serve/exchange.hpp"
#include "tools/extract.hpp"
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

// What is asked of the sealed files of some directories. Whatever a request says, nothing outside of these is read:
// captures are known by their names, and files by none. Any number of threads.
class SpoolAnswers {
 public:
  explicit SpoolAnswers(std::vector<std::string> directories) : directories_(std::move(directories)) {}

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

  std::vector<std::string> directories_;
};

}  // namespace wirespool::serve

// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/extract.hpp"
#include "wirespool/error.hpp"

namespace wirespool::serve {

// How whoever asks a service elsewhere shows who it is, and whose certificates it believes.
struct ProbeAccess {
  std::string token_file;               // its first token is shown; empty: none
  std::string ca;                       // PEM file of CAs; empty: those of the system
  std::string client_cert, client_key;  // PEM files; empty: none
};

// Whether a place is a service elsewhere: http:// or https:// is in front.
bool is_probe(std::string_view place) noexcept;

// A `wirespool serve` elsewhere. Each call is a connection of its own and waits, for as long as the service works; one
// that is gone is noticed within a minute. Any thread.
class Probe {
 public:
  using Parameters = std::multimap<std::string, std::string>;
  using Take = std::function<bool(std::span<const std::byte>)>;  // false: no more is wanted

  // Nothing is asked yet. An Error: `url` has more than scheme, host and port; secrets that others may read, or that
  // would be shown without TLS to another machine; no cpp-httplib in this build.
  static std::expected<std::unique_ptr<Probe>, Error> at(const std::string& url, const ProbeAccess& access);

  virtual ~Probe() = default;
  virtual const std::string& url() const = 0;

  // All of the answer to GET `path`, as it comes. An Error about the URL: there is no service, it is not believed or
  // does not believe, it refuses, or the end of its answer is missing.
  virtual std::expected<void, Error> get(const std::string& path, const Parameters& parameters,
                                         const std::string& accept, const Take& take) const = 0;
};

// What a probe knows to be missing of the packets that were asked for.
struct ProbeMissing {
  std::optional<std::uint64_t> lost;  // nullopt: no ledger there tells
  std::string text;                   // as `wirespool extract` says it; empty: nothing
};

// Its packets for these options, as pcap or pcapng, whole; filters of several outputs are joined by or.
std::expected<ProbeMissing, Error> extract_from(const Probe& probe, const tools::ExtractOptions& options,
                                                const Probe::Take& take);

// What `wirespool ls` or `ls --json` prints there.
std::expected<std::string, Error> captures_of(const Probe& probe, bool json);

// One object for ls --json: `local`, with the captures, drives and other files of probes, each with its "probe" (URL).
std::string joined_captures(const std::string& local,
                            const std::vector<std::pair<std::string, std::string>>& of_probes);

}  // namespace wirespool::serve

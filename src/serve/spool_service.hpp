// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/speaker.hpp"
#include "wirespool/error.hpp"

namespace wirespool::serve {

// `wirespool serve`: whose packets, to whom, and how much of it.
struct SpoolServiceOptions {
  std::vector<std::string> directories;
  std::string listen = "127.0.0.1:8080";
  std::string option = "--listen";  // by which it was asked for, for errors
  // PEM files for TLS (tls.hpp), and the tokens that clients show (secrets.hpp); empty: none.
  std::string tls_cert = {}, tls_key = {}, client_ca = {}, token_file = {};

  struct PcapOverIpAt {
    std::string address;
    bool from_now = false;  // only what is stored from then on
  };
  std::optional<PcapOverIpAt> pcap_over_ip = {};  // pcap_over_ip.hpp

  bool allow_keep = false;  // clients pin files and release them (pins.hpp); else they can change nothing

  // What clients can take, whatever they do. `clients` are served at a time, of which `queries` have packets read.
  unsigned clients = 32, queries = 4;
  std::uint64_t time_limit_ns = 3'600'000'000'000;  // a request and its answer
  std::optional<std::uint64_t> size_limit = {};     // bytes of the packets of an answer
  std::chrono::milliseconds request{10'000};        // until all of it has come
  std::chrono::milliseconds patience{30'000};       // a client that takes nothing for so long is given up
  std::size_t request_bytes = 16 << 10;             // head and body
};

// Answers what README.md says, from the files of some directories, until it is ended.
class SpoolService {
 public:
  virtual ~SpoolService() = default;

  // Once: whoever connected since it was bound is answered from now on. Why it cannot be: no thread is to be had.
  virtual std::expected<void, Error> start() = 0;

  // Queries are stopped and connections closed. false: some still hang after `longest`, in reads of a drive, and use
  // this object: end the process by _exit(2).
  virtual bool end(std::chrono::nanoseconds longest) = 0;
};

// Takes the address; what needs a privilege or a file is done here. An Error where anybody could listen in or ask.
// A line about each query (audit.hpp) goes to `log`, which outlives the service, without a query's waiting for it.
// Without cpp-httplib (-Dmetrics=disabled) an Error that says so.
std::expected<std::unique_ptr<SpoolService>, Error> bind_spool_service(const SpoolServiceOptions& options,
                                                                       storage::Speaker& log);

}  // namespace wirespool::serve

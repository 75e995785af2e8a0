// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "options/table.hpp"
#include "serve/probe.hpp"
#include "tools/extract.hpp"
#include "tools/pipe_inputs.hpp"

namespace wirespool::cli {

// The rows of --token-file, --ca, --client-cert and --client-key, for places that are services elsewhere.
template <typename Config>
void add_probe_access(options::Table<Config>& table) {
  table
      .text("--token-file", "FILE", &Config::token_file, "the first token of it is shown to services elsewhere",
            options::Offers::files)
      .without("none");
  table.text("--ca", "FILE", &Config::ca, "PEM file of the CAs whose services are believed", options::Offers::files)
      .without("those of the system");
  table
      .text("--client-cert", "FILE", &Config::client_cert, "PEM file of the certificate that is shown to services",
            options::Offers::files)
      .without("none");
  table
      .text("--client-key", "FILE", &Config::client_key, "PEM file of its key, which others may not read",
            options::Offers::files)
      .without("none");
}

// What `extract` reads: local places as they are, and what services elsewhere have, whole, in files without a name.
struct Fetched {
  tools::PipeInputs inputs;
  std::vector<std::string> missing;  // what services know to be missing, in words, with their URLs
  std::uint64_t lost = 0;            // of these, packets
};

// Asks all services at once. An Error if one of them did not give all that it has.
std::expected<Fetched, Error> fetch(const tools::ExtractOptions& options, const serve::ProbeAccess& access);

// What each service among the places lists, with its URL; taken out of `places`.
std::expected<std::vector<std::pair<std::string, std::string>>, Error> take_lists(std::vector<std::string>& places,
                                                                                  const serve::ProbeAccess& access,
                                                                                  bool json);

}  // namespace wirespool::cli

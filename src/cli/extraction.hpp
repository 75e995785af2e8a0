// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "serve/probe.hpp"
#include "tools/extract.hpp"

namespace wirespool::cli {

// `wirespool extract`, whoever asks for it.
struct Extraction : tools::ExtractOptions, serve::ProbeAccess {
  bool strict = false;
  bool only_faults = false;  // on stderr is only what is wrong or missing
};

// Runs it, confined; prints what is to be known of it. Returns the exit code.
int extract(Extraction request);

}  // namespace wirespool::cli

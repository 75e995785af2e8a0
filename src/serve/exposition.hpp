// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include "format/ledger_line.hpp"
#include "serve/exposition_text.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::serve {

// What a page of metrics says of the capture besides its ledger.
struct AboutCapture {
  std::string wirespool, dpdk;  // versions
  Timestamp start;
};

// A ledger line as metrics, or what is known before there is one (nullptr). Nothing is counted here: what the line does
// not know is left out, and never 0. Names and labels are in README.md. Pure, any thread.
std::string exposition(const format::LedgerLine* line, const AboutCapture& about, Form form);

}  // namespace wirespool::serve

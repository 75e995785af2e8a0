// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "format/capture_file.hpp"
#include "format/ledger_line.hpp"

namespace wirespool::test {

// A ledger line with one port and everything on its drives, whose books balance: a test changes what it is about.
inline format::LedgerLine ledger_line(Timestamp time, std::uint64_t stored, std::uint64_t bytes,
                                      std::uint64_t dropped = 0, bool final = true) {
  format::LedgerLine line;
  line.time = time;
  line.final = final;
  line.ended_by = final ? "SIGINT" : "";
  line.ports = {{.port = 0, .name = "net_test0", .received = stored + dropped, .nic_missed = 3}};
  line.totals.received = stored + dropped;
  line.totals.stored = stored;
  line.totals.stored_bytes = bytes;
  line.totals.drop_handoff = dropped;
  return line;
}

struct PlanSample {
  unsigned drives = 1;
  unsigned block_bytes = 4096;
  unsigned snaplen = 262144;
  std::string index = "time";
  std::string on_seal = "";
};

// A capture.json. `ledger` is its final line as JSON, or "null".
inline std::string capture_json(const PlanSample& plan, const std::string& ledger = "null") {
  std::string drives;
  for (unsigned i = 0; i < plan.drives; ++i) drives += i == 0 ? "{}" : ",{}";
  return R"({"wirespool":"0","dpdk":"0","start":"2026-01-01T00:00:00.000000000Z","name":"t","plan":{"block_bytes":)" +
         std::to_string(plan.block_bytes) + R"(,"snaplen":)" + std::to_string(plan.snaplen) + R"(,"index":")" +
         plan.index + R"(","on_seal":")" + plan.on_seal + R"(","drives":[)" + drives + R"(]},"ledger":)" + ledger + "}";
}

}  // namespace wirespool::test

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

// A capture.json of so many drives. `ledger` is its final line as JSON, or "null".
inline std::string capture_json(unsigned drives, const std::string& ledger, unsigned block_bytes = 4096) {
  std::string paths;
  for (unsigned i = 0; i < drives; ++i) paths += i == 0 ? "{}" : ",{}";
  return R"({"wirespool":"0","dpdk":"0","start":"2026-01-01T00:00:00.000000000Z","name":"t","plan":{"block_bytes":)" +
         std::to_string(block_bytes) + R"(,"snaplen":262144,"index":"time","on_seal":null,"drives":[)" + paths +
         R"(]},"ledger":)" + ledger + "}";
}

}  // namespace wirespool::test

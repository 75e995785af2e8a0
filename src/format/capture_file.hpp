// SPDX-License-Identifier: BSD-3-Clause
#pragma once

// STEM-<start>.capture.json: what a capture was asked to do and what it decided, and at the end its last ledger line.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "format/json_fields.hpp"
#include "format/ledger_line.hpp"
#include "wirespool/timestamp.hpp"

namespace wirespool::format {

struct CaptureFile {
  std::string wirespool, dpdk;  // versions
  Timestamp start;
  std::string name;                  // STEM
  std::string plan;                  // a JSON object, as plan::to_json writes it
  std::optional<LedgerLine> ledger;  // the final one; none: the capture still runs, or never reached its end
  OtherFields others = {};

  bool operator==(const CaptureFile&) const = default;
};

// With a newline.
std::string encode_capture_file(const CaptureFile& file);

// Anything that is missing or of another kind is an error that names it. The caller bounds the length (see JsonText).
std::expected<CaptureFile, std::string> decode_capture_file(std::string_view text);

// What readers need to know of the plan.
struct PlanFacts {
  std::uint64_t drives = 0;
  std::uint64_t block_bytes = 0;
  std::uint64_t snaplen = 0;
  bool flow_index = false;  // --index flow
  bool on_seal = false;     // it had a command for sealed files

  bool operator==(const PlanFacts&) const = default;
};
std::expected<PlanFacts, std::string> decode_plan_facts(std::string_view plan);

}  // namespace wirespool::format

// SPDX-License-Identifier: BSD-3-Clause
#include "tools/estimate.hpp"

#include <nlohmann/json.hpp>

#include "read/archived_files.hpp"
#include "read/index_store.hpp"

namespace wirespool::tools {
namespace {

bool is_apart(const SpoolEntry& entry, const Query& query) {
  return entry.index != SpoolEntry::Index::none &&
         (entry.packets == 0 || entry.last < query.from || entry.first >= query.to);
}

void add_unknown(Estimate& estimate, const SpoolEntry& entry) {
  ++estimate.files_to_read;
  estimate.bytes_to_read += entry.file_bytes;
  estimate.blocks.reset();
  estimate.packets.reset();
}

// What is being written has no index yet: all that is stored of it is read.
void add_open(Estimate& estimate, const SpoolEntry& entry) {
  ++estimate.files_to_read;
  estimate.bytes_to_read += entry.file_bytes;
  estimate.blocks.reset();
  if (estimate.packets) *estimate.packets += entry.packets;
}

void add(Estimate& estimate, SpoolEntry entry, const Query& query) {
  ++estimate.files;
  estimate.bytes += entry.file_bytes;
  if (is_apart(entry, query)) return;
  if (entry.open) return add_open(estimate, entry);
  if (entry.index == SpoolEntry::Index::none) return add_unknown(estimate, entry);
  entry.path = read::path_now(entry);
  const auto selection = read::select_blocks(entry, query);
  if (!selection) {
    estimate.notices.push_back("an index is not used: " + selection.error());
    return add_unknown(estimate, entry);
  }
  if (selection->blocks == 0) return;
  ++estimate.files_to_read;
  for (const auto& stretch : selection->stretches) estimate.bytes_to_read += stretch.end - stretch.begin;
  if (estimate.blocks) *estimate.blocks += selection->blocks;
  if (estimate.packets) *estimate.packets += selection->packets;
}

using Json = nlohmann::ordered_json;

Json json_of(const std::optional<std::uint64_t>& number) { return number ? Json(*number) : Json(nullptr); }

}  // namespace

Estimate estimate(const Spool& spool, const Query& query) {
  Estimate estimate;
  estimate.notices = spool.notices();
  estimate.problems = spool.problems();
  for (const auto& entry : spool.files()) {
    if (query.stop && *query.stop) return estimate;
    add(estimate, entry, query);
  }
  estimate.missing = missing_between(spool, query.from, query.to);
  return estimate;
}

std::string render_json(const Estimate& estimate) {
  const bool told = estimate.missing.captures > 0;
  Json json = {{"files", estimate.files},
               {"files_to_read", estimate.files_to_read},
               {"bytes", estimate.bytes},
               {"bytes_to_read", estimate.bytes_to_read},
               {"blocks_at_most", json_of(estimate.blocks)},
               {"packets_at_most", json_of(estimate.packets)},
               {"lost", told ? Json(estimate.missing.losses.sum()) : Json(nullptr)},
               {"missing", render(estimate.missing)},
               {"notices", estimate.notices},
               {"problems", Json::array()}};
  for (const auto& problem : estimate.problems) json["problems"].push_back(problem.message());
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace wirespool::tools

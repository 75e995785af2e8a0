// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eal/capture_run.hpp"

namespace wirespool::test {

// A row: which fault (its number), under which capture.
struct Row {
  std::size_t fault = 0;
  std::string handoff, io, flush_age;
  std::string rate;  // frames a second, "" as fast as they are received
  std::string when_full;
  std::string sector;  // of the first drive, bytes

  bool operator==(const Row&) const = default;
};

std::string name_of(const Row& row);

std::vector<Row> all_rows();

// Some of all rows, so that any two values of different columns meet in one of them at least (pairwise testing).
std::vector<Row> pairwise_rows(std::uint64_t seed);

// What became of a row.
struct Outcome {
  Row row;
  std::string skipped;  // why it was not run; "" if it was
  std::uint64_t sent = 0, received = 0, stored = 0, unsynced = 0, found = 0;
  Json lost = Json::object();  // by cause, those that are not 0
  std::optional<std::int64_t>
      unaccounted;  // sent, and neither stored nor lost; nullopt: killed, its books were not ended
  int exit_code = 0;
  double stop_seconds = 0;
  std::vector<std::string> wrong;  // what should not be

  bool good() const { return wrong.empty(); }
};

Json json_of(const Outcome& outcome);
Outcome outcome_of(const Json& json);

// A table for README.md.
std::string table_of(const std::vector<Outcome>& outcomes);

}  // namespace wirespool::test

// SPDX-License-Identifier: BSD-3-Clause
#include "faults/matrix.hpp"

#include <algorithm>
#include <set>

#include "faults/fault.hpp"
#include "support/random.hpp"

namespace wirespool::test {
namespace {

const std::vector<std::string> handoffs{"packets", "blocks"}, ios{"uring", "pwrite"}, flush_ages{"10ms", "1s"},
    rates{"500", "10000", ""}, when_fulls{"drop", "wait"}, sectors{"512", "4096"};

// Column and value, of two columns.
using Pair = std::pair<std::string, std::string>;

std::vector<Pair> pairs_of(const Row& row) {
  const std::vector<std::string> values{"f" + std::to_string(row.fault),
                                        "h" + row.handoff,
                                        "i" + row.io,
                                        "a" + row.flush_age,
                                        "r" + row.rate,
                                        "w" + row.when_full,
                                        "s" + row.sector};
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < values.size(); ++i)
    for (std::size_t j = i + 1; j < values.size(); ++j) pairs.emplace_back(values[i], values[j]);
  return pairs;
}

std::string lost_text(const Json& lost) {
  std::string text;
  for (const auto& [cause, packets] : lost.items()) text += (text.empty() ? "" : ", ") + cause + " " + packets.dump();
  return text.empty() ? "0" : text;
}

}  // namespace

std::string name_of(const Row& row) {
  return faults().at(row.fault).name + ", " + row.handoff + ", " + row.io + ", flush " + row.flush_age + ", " +
         row.when_full + ", sectors of " + row.sector + ", " +
         (row.rate.empty() ? "as fast as received" : row.rate + "/s");
}

std::vector<Row> all_rows() {
  std::vector<Row> rows{{}};
  const auto times = [&rows](std::string Row::*column, const std::vector<std::string>& values) {
    std::vector<Row> more;
    for (const auto& row : rows)
      for (const auto& value : values) {
        more.push_back(row);
        more.back().*column = value;
      }
    rows = std::move(more);
  };
  times(&Row::handoff, handoffs);
  times(&Row::io, ios);
  times(&Row::flush_age, flush_ages);
  times(&Row::rate, rates);
  times(&Row::when_full, when_fulls);
  times(&Row::sector, sectors);
  std::vector<Row> all;
  for (std::size_t fault = 0; fault < faults().size(); ++fault)
    for (auto row : rows)
      if (faults()[fault].only_io.empty() || faults()[fault].only_io == row.io) {
        row.fault = fault;
        all.push_back(std::move(row));
      }
  return all;
}

// Greedy: always the row with the most pairs that have not met, the first of these in an order of chance.
std::vector<Row> pairwise_rows(std::uint64_t seed) {
  auto rows = all_rows();
  Random random(seed);
  for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
  std::set<Pair> left;
  for (const auto& row : rows)
    for (auto& pair : pairs_of(row)) left.insert(std::move(pair));
  const auto news = [&left](const Row& row) {
    const auto pairs = pairs_of(row);
    return std::ranges::count_if(pairs, [&left](const auto& pair) { return left.contains(pair); });
  };
  std::vector<Row> chosen;
  while (!left.empty()) {
    chosen.push_back(*std::ranges::max_element(rows, {}, news));
    for (const auto& pair : pairs_of(chosen.back())) left.erase(pair);
  }
  return chosen;
}

Json json_of(const Outcome& outcome) {
  return {{"fault", faults().at(outcome.row.fault).name},
          {"handoff", outcome.row.handoff},
          {"io", outcome.row.io},
          {"flush_age", outcome.row.flush_age},
          {"rate", outcome.row.rate},
          {"when_full", outcome.row.when_full},
          {"sector", outcome.row.sector},
          {"skipped", outcome.skipped},
          {"sent", outcome.sent},
          {"received", outcome.received},
          {"stored", outcome.stored},
          {"unsynced", outcome.unsynced},
          {"found", outcome.found},
          {"lost", outcome.lost},
          {"unaccounted", outcome.unaccounted ? Json(*outcome.unaccounted) : Json()},
          {"exit_code", outcome.exit_code},
          {"stop_seconds", outcome.stop_seconds},
          {"wrong", outcome.wrong}};
}

Outcome outcome_of(const Json& json) {
  const auto fault = std::ranges::find(faults(), json.at("fault").get<std::string>(), &Fault::name);
  Outcome outcome;
  outcome.row = {static_cast<std::size_t>(fault - faults().begin()),
                 json.at("handoff"),
                 json.at("io"),
                 json.at("flush_age"),
                 json.at("rate"),
                 json.at("when_full"),
                 json.at("sector")};
  outcome.skipped = json.at("skipped");
  outcome.sent = json.at("sent");
  outcome.received = json.at("received");
  outcome.stored = json.at("stored");
  outcome.unsynced = json.at("unsynced");
  outcome.found = json.at("found");
  outcome.lost = json.at("lost");
  if (!json.at("unaccounted").is_null()) outcome.unaccounted = json.at("unaccounted").get<std::int64_t>();
  outcome.exit_code = json.at("exit_code");
  outcome.stop_seconds = json.at("stop_seconds");
  outcome.wrong = json.at("wrong").get<std::vector<std::string>>();
  return outcome;
}

std::string table_of(const std::vector<Outcome>& outcomes) {
  std::string text =
      "| fault, capture | sent | stored | found | unsynced | lost | unaccounted | exit | stop, s |\n"
      "|---|--:|--:|--:|--:|--:|--:|--:|--:|\n";
  char stop[32];
  for (const auto& outcome : outcomes) {
    text += "| " + name_of(outcome.row) + " | ";
    if (!outcome.skipped.empty()) {
      text += "| | | | | | | not run: " + outcome.skipped + " |\n";
      continue;
    }
    std::snprintf(stop, sizeof stop, "%.1f", outcome.stop_seconds);
    for (const auto number : {outcome.sent, outcome.stored, outcome.found, outcome.unsynced})
      text += std::to_string(number) + " | ";
    text += outcome.unaccounted ? lost_text(outcome.lost) + " | " + std::to_string(*outcome.unaccounted)
                                : "not known | not known";
    text += " | " + std::to_string(outcome.exit_code) + " | " + stop +
            (outcome.good() ? "" : " **" + outcome.wrong[0] + "**") + " |\n";
  }
  return text;
}

}  // namespace wirespool::test

// SPDX-License-Identifier: BSD-3-Clause
// The matrix of faults. Rows that are in FILE already, a JSON line each, are not run again ("-": no file).
// tests/faults.sh gives it its environment. Exit code 0: no row was wrong; 77: no row can be run here.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <random>
#include <stdexcept>

#include "faults/fault_run.hpp"
#include "support/loop_drive.hpp"
#include "support/network.hpp"

using namespace wirespool::test;

namespace {

constexpr const char* usage =
    "usage: faults FILE|- [--all | --pairwise SEED | --some COUNT [SEED] | --only PART-OF-NAME]";

std::vector<Outcome> read_outcomes(const std::string& path) {
  std::vector<Outcome> outcomes;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) outcomes.push_back(outcome_of(Json::parse(line)));
  return outcomes;
}

std::vector<Row> rows_of(int argc, char** argv) {
  const std::string how = argc > 2 ? argv[2] : "--all";
  if (how == "--all") return all_rows();
  if (how == "--pairwise" && argc > 3) return pairwise_rows(std::stoull(argv[3]));
  if (how == "--some" && argc > 3) {
    const std::uint64_t seed = argc > 4 ? std::stoull(argv[4]) : std::random_device{}();
    std::cerr << "seed " << seed << '\n';
    auto rows = pairwise_rows(seed);
    rows.resize(std::min<std::size_t>(rows.size(), std::stoul(argv[3])));
    return rows;
  }
  if (how == "--only" && argc > 3) {
    auto rows = all_rows();
    std::erase_if(
        rows, [part = std::string(argv[3])](const auto& row) { return name_of(row).find(part) == std::string::npos; });
    return rows;
  }
  throw std::runtime_error(usage);
}

// "" if rows can be run here.
std::string why_not() {
  if (const auto missing = LoopDrive::missing()) return *missing;
  return why_no_network();
}

Outcome run_and_tell(const Row& row) {
  try {
    return run_row(row);
  } catch (const std::exception& error) {
    Outcome outcome;
    outcome.row = row;
    outcome.wrong.push_back(error.what());
    return outcome;
  }
}

int run(int argc, char** argv) {
  if (argc < 2) throw std::runtime_error(usage);
  if (const auto why = why_not(); !why.empty()) {
    std::cout << "skipped: faults: " << why << '\n';
    return 77;
  }
  const std::string path = argv[1];
  auto outcomes = read_outcomes(path);
  for (const auto& row : rows_of(argc, argv)) {
    if (std::ranges::find(outcomes, row, &Outcome::row) != outcomes.end()) continue;
    outcomes.push_back(run_and_tell(row));
    const auto& outcome = outcomes.back();
    if (path != "-") std::ofstream(path, std::ios::app) << json_of(outcome).dump() << '\n';
    std::fprintf(stderr, "%s: %s\n", outcome.good() ? "ok" : "WRONG", name_of(row).c_str());
    for (const auto& wrong : outcome.wrong) std::fprintf(stderr, "  %s\n", wrong.c_str());
  }
  std::ranges::stable_sort(outcomes, {}, [](const auto& outcome) { return outcome.row.fault; });
  std::cout << table_of(outcomes);
  const auto bad = std::ranges::count_if(outcomes, [](const auto& outcome) { return !outcome.good(); });
  std::cout << outcomes.size() - static_cast<std::size_t>(bad) << " passed, " << bad << " failed\n";
  return bad == 0 && std::cout.flush() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}

// SPDX-License-Identifier: BSD-3-Clause
#include "cli/capture_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/config_file.hpp"
#include "cli/eal_words.hpp"
#include "plan/capture_table.hpp"

namespace wirespool::cli {
namespace {

// Takes `eal = [...]` out of the file's entries.
std::optional<Error> take_eal(std::vector<TomlEntry>& entries, const std::string& path, plan::EalArgs& eal) {
  const auto entry = std::ranges::find(entries, "eal", &TomlEntry::key);
  if (entry == entries.end()) return std::nullopt;
  if (!entry->is_array)
    return Error{place_of(path, *entry), "eal is an array of words", "write eal = [\"-l\", \"0-2\"]"};
  if (eal.empty()) eal = entry->values;
  entries.erase(entry);
  return std::nullopt;
}

// The word after --config, removed from `given`; empty: none.
std::string take_path(std::vector<Given>& given) {
  const auto found = std::ranges::find(given, "--config", &Given::name);
  if (found == given.end()) return "";
  const auto path = found->words.front();
  given.erase(found);
  return path;
}

std::optional<Error> read_file(CaptureRequest& request, const std::string& path, const std::vector<Given>& given) {
  if (path.empty()) return std::nullopt;
  auto entries = read_config_file(path);
  if (!entries) return entries.error();
  if (auto error = take_eal(*entries, path, request.eal_args)) return error;
  return fill_from_file(request.config, plan::capture_table(), path, *entries, given);
}

}  // namespace

options::Page capture_page() {
  auto page = plan::capture_table().page();
  page.options.push_back({.name = "--config",
                          .type = options::Type::text,
                          .takes = "FILE",
                          .help = "TOML whose keys are these options' long names; the command line wins",
                          .group = page.options.back().group,
                          .offers = options::Offers::files,
                          .in_file = false});
  return page;
}

std::variant<CaptureRequest, Stop> read_capture_args(const Args& args) {
  const auto& table = plan::capture_table();
  auto [eal, own] = split_at_dashes(args);
  auto parsed = parse(capture_page(), own);
  if (const auto* stop = std::get_if<Stop>(&parsed)) return *stop;
  auto& given = std::get<std::vector<Given>>(parsed);
  const auto path = take_path(given);
  CaptureRequest request;
  request.eal_args = std::move(eal);
  auto error = fill(request.config, table, given);
  if (!error) error = wrong_order(request.eal_args, capture_page());
  if (!error) error = read_file(request, path, given);
  if (error) return refusal(*error);
  return request;
}

}  // namespace wirespool::cli

// SPDX-License-Identifier: BSD-3-Clause
#include "serve/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "format/header_end.hpp"
#include "format/printable.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::serve {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t longest_text = 256 << 20;  // of a list of captures

// One expression that each of several outputs' packets match; empty: everything.
std::string joined_filters(const std::vector<std::string>& filters) {
  std::string all;
  for (const auto& filter : filters) {
    if (filter.empty()) return {};
    all += fmt::format("{}({})", all.empty() ? "" : " or ", filter);
  }
  return filters.size() == 1 ? filters.front() : all;
}

Probe::Parameters parameters_of(const tools::ExtractOptions& options) {
  Probe::Parameters parameters;
  if (options.from != Timestamp{}) parameters.emplace("from", rfc3339(options.from));
  if (options.to.ns != std::numeric_limits<std::uint64_t>::max()) parameters.emplace("to", rfc3339(options.to));
  if (const auto filter = joined_filters(options.filters); !filter.empty()) parameters.emplace("filter", filter);
  if (!options.flow.empty()) parameters.emplace("flow", options.flow);
  if (!options.community_id.empty()) parameters.emplace("community_id", options.community_id);
  if (options.inner) parameters.emplace("inner", "true");
  // What is filtered here once more has to be whole.
  if (options.slice && !parameters.contains("filter") && options.flow.empty() && options.community_id.empty())
    parameters.emplace("slice", format::text_of(*options.slice));
  if (options.format == tools::OutputFormat::pcapng) parameters.emplace("format", "pcapng");
  if (options.outputs.size() == 1 && options.packets != std::numeric_limits<std::uint64_t>::max())
    parameters.emplace("limit", std::to_string(options.packets));
  return parameters;
}

// Lines of foreign origin, safe for a terminal.
std::string printable_lines(const std::string& text) {
  std::string lines;
  for (std::size_t begin = 0, end; begin < text.size(); begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    lines += format::printable(std::string_view(text).substr(begin, end - begin)) + "\n";
  }
  return lines;
}

// All of a short answer.
std::expected<std::string, Error> text_of(const Probe& probe, const std::string& path,
                                          const Probe::Parameters& parameters, const std::string& accept) {
  std::string text;
  const auto done = probe.get(path, parameters, accept, [&text](std::span<const std::byte> bytes) {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return text.size() <= longest_text;
  });
  if (!done) return std::unexpected(done.error());
  return text;
}

Error strange(const Probe& probe) {
  return {probe.url(), "its answer is none of wirespool serve's", "see what listens there", Error::Kind::not_ready};
}

std::expected<ProbeMissing, Error> missing_of(const Probe& probe, const tools::ExtractOptions& options) {
  const auto text = text_of(probe, "/api/estimate", parameters_of(options), "application/json");
  if (!text) return std::unexpected(text.error());
  const auto json = Json::parse(*text, nullptr, false);
  const auto lost = json.is_object() ? json.find("lost") : json.end();
  if (!json.is_object() || lost == json.end() || !json.contains("missing")) return std::unexpected(strange(probe));
  ProbeMissing missing;
  if (lost->is_number_unsigned()) missing.lost = lost->get<std::uint64_t>();
  if (json["missing"].is_string()) missing.text = format::printable(json["missing"].get<std::string>());
  return missing;
}

}  // namespace

bool is_probe(std::string_view place) noexcept { return place.starts_with("http://") || place.starts_with("https://"); }

std::expected<ProbeMissing, Error> extract_from(const Probe& probe, const tools::ExtractOptions& options,
                                                const Probe::Take& take) {
  if (const auto done = probe.get("/api/extract", parameters_of(options), "*/*", take); !done)
    return std::unexpected(done.error());
  return missing_of(probe, options);
}

std::expected<std::string, Error> captures_of(const Probe& probe, bool json) {
  auto text = text_of(probe, "/api/captures", {}, json ? "application/json" : "text/plain");
  if (!text) return text;
  if (!json) return printable_lines(*text);
  const auto parsed = Json::parse(*text, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("captures")) return std::unexpected(strange(probe));
  return text;
}

std::string joined_captures(const std::string& local,
                            const std::vector<std::pair<std::string, std::string>>& of_probes) {
  auto all = Json::parse(local);
  for (const auto& [url, text] : of_probes) {
    const auto there = Json::parse(text, nullptr, false);  // captures_of() has seen that it is an object
    for (auto& [name, list] : all.items()) {
      if (!list.is_array() || !there.contains(name) || !there[name].is_array()) continue;
      for (auto one : there[name]) {
        if (one.is_object()) one["probe"] = url;
        list.push_back(std::move(one));
      }
    }
  }
  return all.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace wirespool::serve

// SPDX-License-Identifier: BSD-3-Clause
#include "plan/sizing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace wirespool::plan {
namespace {

using Json = nlohmann::json;

constexpr double fcs_bytes = 4;
constexpr auto receive_stage = "wirespool handoff, packets";
constexpr auto build_stage = "wirespool block, packets";
constexpr auto receive_build_stage = "wirespool block, blocks";

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Traces whose frames are all of one length, by name; FCS added.
std::map<std::string, double> lengths_of(const Json& document) {
  std::map<std::string, double> lengths;
  for (const auto& trace : document.at("traces")) {
    const auto name = trace.at("name").get<std::string>();
    if (name.ends_with(" B")) lengths[name] = trace.at("mean_bytes").get<double>() + fcs_bytes;
  }
  return lengths;
}

RateCurve curve_of(const Json& document, const std::string& contestant) {
  const auto lengths = lengths_of(document);
  std::map<double, std::vector<double>> rates;
  for (const auto& one : document.at("measurements")) {
    const auto length = lengths.find(one.at("case").get<std::string>());
    if (one.at("experiment") == "stages" && one.at("contestant") == contestant && length != lengths.end()) {
      rates[length->second].push_back(one.at("values").at("mpps").get<double>());
    }
  }
  RateCurve curve;
  for (const auto& [bytes, mpps] : rates) curve.push_back({bytes, median(mpps)});
  return curve;
}

// By the largest trace: a run has traces of one kind.
Regime regime_of(const Json& document) {
  double most = 0;
  for (const auto& trace : document.at("traces"))
    if (trace.contains("packets"))
      most = std::max(most, trace["packets"].get<double>() * trace["mean_bytes"].get<double>());
  if (most <= 0) return Regime::not_known;
  return most < memory_regime_bytes ? Regime::cached : Regime::memory;
}

bool usable(const RateCurve& curve) {
  return curve.size() >= 2 && std::ranges::all_of(curve, [](const RatePoint& point) { return point.mpps > 0; });
}

// Nanoseconds.
double packet_time(const RateCurve& curve, double bytes) {
  auto right = std::ranges::find_if(curve, [bytes](const RatePoint& point) { return point.frame_bytes >= bytes; });
  right = std::clamp(right, curve.begin() + 1, curve.end() - 1);
  const auto left = right - 1;
  const double at_left = 1e3 / left->mpps, at_right = 1e3 / right->mpps;
  const double slope = (at_right - at_left) / (right->frame_bytes - left->frame_bytes);
  return std::max(at_left + slope * (bytes - left->frame_bytes), std::min(at_left, at_right));
}

}  // namespace

StageRates published_rates() {
  return {.measured_on = "AMD EPYC (family 26, model 2), two virtual CPUs, 2026-11-21",
          .receive = {{64, 90.1}, {128, 77.7}, {256, 56.7}, {1518, 19.2}},
          .build = {{64, 90.8}, {128, 75.9}, {256, 54.4}, {1518, 18.3}},
          .receive_build = {{64, 92.9}, {128, 78.4}, {256, 51.4}, {1518, 13.1}},
          .regime = Regime::cached};
}

std::expected<StageRates, std::string> read_rates(std::string_view json) {
  try {
    const auto document = Json::parse(json);
    StageRates rates{
        .measured_on = fmt::format("{}, {}", document.at("machine").at("processor").at("model").get<std::string>(),
                                   document.at("started").get<std::string>()),
        .receive = curve_of(document, receive_stage),
        .build = curve_of(document, build_stage),
        .receive_build = curve_of(document, receive_build_stage),
        .regime = regime_of(document)};
    if (usable(rates.receive) && usable(rates.build) && usable(rates.receive_build)) return rates;
    return std::unexpected("it has not all stages with traces of two lengths at least");
  } catch (const Json::exception& error) {
    return std::unexpected(fmt::format("it is not a results.json: {}", error.what()));
  }
}

double mpps_of(const RateCurve& curve, const TrafficMix& mix) {
  double ns = 0;
  for (const auto& part : mix.parts) ns += part.share * packet_time(curve, part.frame_bytes);
  return 1e3 / ns;
}

}  // namespace wirespool::plan

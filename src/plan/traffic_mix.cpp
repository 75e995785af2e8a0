// SPDX-License-Identifier: BSD-3-Clause
#include "plan/sizing.hpp"

#include <fmt/format.h>

#include <optional>

#include "options/values.hpp"

namespace wirespool::plan {
namespace {

using options::number_in;

constexpr unsigned shortest = 64, longest = 9728;

// On the wire around each frame: preamble, start delimiter, gap (IEEE 802.3, clause 4.2.3 and 3.1.1).
constexpr double wire_overhead_bytes = 20;

// "594:4" or "594".
std::expected<MixPart, std::string> parse_part(std::string_view text) {
  const auto colon = text.find(':');
  const auto bytes = number_in<unsigned>(text.substr(0, colon));
  const auto weight = colon == text.npos ? std::optional<double>(1) : number_in<double>(text.substr(colon + 1));
  if (!bytes || !weight || !(*weight > 0)) {
    return std::unexpected(fmt::format("\"{}\" is not imix, caida, a length, or LENGTH:WEIGHT", text));
  }
  if (*bytes < shortest || *bytes > longest) {
    return std::unexpected(fmt::format("{} bytes is no Ethernet frame: {} to {}", *bytes, shortest, longest));
  }
  return MixPart{*bytes, *weight};
}

TrafficMix with_shares(std::string_view name, std::vector<MixPart> parts) {
  double sum = 0;
  for (const auto& part : parts) sum += part.share;
  for (auto& part : parts) part.share /= sum;
  return {std::string(name), std::move(parts)};
}

}  // namespace

std::expected<TrafficMix, std::string> parse_mix(std::string_view text) {
  // "Simple IMIX", as traffic generators have it.
  if (text == "imix") return with_shares(text, {{64, 7}, {594, 4}, {1518, 1}});
  // The traces of bench/: tests/support/make_frames.cpp, kind "caida", each class at its middle.
  if (text == "caida") return with_shares(text, {{76, 41}, {334, 8}, {942, 9}, {1518, 42}});
  std::vector<MixPart> parts;
  for (auto rest = text;;) {
    const auto comma = rest.find(',');
    const auto part = parse_part(rest.substr(0, comma));
    if (!part) return std::unexpected(part.error());
    parts.push_back(*part);
    if (comma == rest.npos) return with_shares(text, std::move(parts));
    rest.remove_prefix(comma + 1);
  }
}

double mean_bytes(const TrafficMix& mix) {
  double sum = 0;
  for (const auto& part : mix.parts) sum += part.share * part.frame_bytes;
  return sum;
}

double wire_bytes(const TrafficMix& mix) { return mean_bytes(mix) + wire_overhead_bytes; }

}  // namespace wirespool::plan

// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/sizes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <optional>
#include <sstream>
#include <utility>

#include "options/values.hpp"

namespace wirespool::traffic {
namespace {

using options::number_in;

// How many frames a turn of a mix has: 12 and 100 divide it, so that imix and percentages are exact.
constexpr std::size_t frames_a_turn = 1200;

// Mixes the order by a fixed generator (Numerical Recipes' LCG), the same on every machine.
void shuffle(std::vector<std::uint16_t>& turn) {
  std::uint32_t state = 1;
  for (std::size_t i = turn.size(); i > 1; --i) {
    state = state * 1664525u + 1013904223u;
    std::swap(turn[i - 1], turn[(state >> 8) % i]);
  }
}

}  // namespace

SizeMix SizeMix::only(std::uint32_t bytes) {
  SizeMix mix;
  mix.name_ = std::to_string(bytes);
  mix.lengths_ = {bytes};
  mix.turn_ = {0};
  return mix;
}

double SizeMix::mean() const {
  double sum = 0;
  for (const auto index : turn_) sum += lengths_[index];
  return sum / static_cast<double>(turn_.size());
}

std::expected<SizeMix, std::string> SizeMix::parse(std::string_view text) {
  if (text == "imix") return make(text, {{64, 7}, {590, 4}, {1514, 1}});
  if (text == "caida") return make(text, {{72, 41}, {330, 8}, {938, 9}, {1514, 42}});
  if (text.starts_with("file:")) return of_file(text, std::string(text.substr(5)));
  std::vector<Part> parts;
  for (auto rest = text;;) {
    const auto comma = rest.find(',');
    const auto word = rest.substr(0, comma);
    const auto colon = word.find(':');
    const auto part = part_of(word.substr(0, colon), colon == word.npos ? "1" : word.substr(colon + 1));
    if (!part) return std::unexpected(part.error());
    parts.push_back(*part);
    if (comma == rest.npos) return make(text, std::move(parts));
    rest.remove_prefix(comma + 1);
  }
}

std::expected<SizeMix::Part, std::string> SizeMix::part_of(std::string_view bytes, std::string_view weight) {
  const auto length = number_in<std::uint32_t>(bytes);
  const auto share = number_in<double>(weight);
  if (!length || !share || !(*share > 0) || !std::isfinite(*share))
    return std::unexpected(fmt::format("\"{}\" is not a length in bytes, LENGTH:WEIGHT, imix, caida or file:PATH",
                                       weight == "1" ? std::string(bytes) : fmt::format("{}:{}", bytes, weight)));
  if (*length < shortest_frame || *length > longest_frame)
    return std::unexpected(
        fmt::format("{} bytes, without FCS, is not within {} and {}", *length, shortest_frame, longest_frame));
  return Part{*length, *share};
}

std::expected<SizeMix, std::string> SizeMix::of_file(std::string_view name, const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::unexpected(fmt::format("{} cannot be read", path));
  std::vector<Part> parts;
  unsigned number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    std::istringstream words(line.substr(0, line.find('#')));
    std::string bytes, weight = "1", more;
    if (!(words >> bytes)) continue;
    words >> weight;
    const auto part = part_of(bytes, weight.empty() ? "1" : weight);
    if (!part || words >> more)
      return std::unexpected(fmt::format("{}, line {}: {}", path, number, part ? "more than two words" : part.error()));
    parts.push_back(*part);
  }
  if (parts.empty()) return std::unexpected(fmt::format("{} has no line LENGTH WEIGHT", path));
  return make(name, std::move(parts));
}

// Shares by largest remainder; a length whose weight is too small for one frame a turn has one.
std::expected<SizeMix, std::string> SizeMix::make(std::string_view name, std::vector<Part> parts) {
  std::ranges::sort(parts, {}, &Part::bytes);
  std::vector<Part> each;
  for (const auto& part : parts) {
    if (!each.empty() && each.back().bytes == part.bytes)
      each.back().weight += part.weight;
    else
      each.push_back(part);
  }
  if (each.size() > frames_a_turn / 4)
    return std::unexpected(fmt::format("{} lengths are more than {}", each.size(), frames_a_turn / 4));
  SizeMix mix;
  mix.name_ = std::string(name);
  for (const auto& part : each) mix.lengths_.push_back(part.bytes);
  if (each.size() == 1) return mix.turn_ = {0}, mix;
  const auto sum = std::accumulate(each.begin(), each.end(), 0.0,
                                   [](double so_far, const Part& part) { return so_far + part.weight; });
  std::vector<std::pair<double, std::uint16_t>> remainders;
  for (std::size_t i = 0; i < each.size(); ++i) {
    const double exact = each[i].weight / sum * static_cast<double>(frames_a_turn);
    const auto whole = static_cast<std::size_t>(std::max(1.0, std::floor(exact)));
    mix.turn_.insert(mix.turn_.end(), whole, static_cast<std::uint16_t>(i));
    remainders.emplace_back(static_cast<double>(whole) - exact, static_cast<std::uint16_t>(i));
  }
  std::ranges::sort(remainders);
  for (std::size_t i = 0; mix.turn_.size() < frames_a_turn; ++i)
    mix.turn_.push_back(remainders[i % remainders.size()].second);
  shuffle(mix.turn_);
  return mix;
}

}  // namespace wirespool::traffic

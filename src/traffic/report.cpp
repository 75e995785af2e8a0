// SPDX-License-Identifier: BSD-3-Clause
#include "traffic/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "options/values.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::traffic {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json percentiles_json(const std::optional<Percentiles>& of) {
  if (!of) return {};
  return {{"min", of->min},   {"p50", of->p50}, {"p90", of->p90},   {"p99", of->p99},
          {"p999", of->p999}, {"max", of->max}, {"mean", of->mean}, {"count", of->count}};
}

std::string with_unit(double value, const char* unit) {
  if (value >= 1e9) return fmt::format("{:.3f} G{}", value / 1e9, unit);
  if (value >= 1e6) return fmt::format("{:.3f} M{}", value / 1e6, unit);
  if (value >= 1e3) return fmt::format("{:.3f} k{}", value / 1e3, unit);
  return fmt::format("{:.0f} {}", value, unit);
}

std::string duration_text(double ns) {
  if (ns >= 1e9) return fmt::format("{:.2f} s", ns / 1e9);
  if (ns >= 1e6) return fmt::format("{:.2f} ms", ns / 1e6);
  if (ns >= 1e3) return fmt::format("{:.2f} us", ns / 1e3);
  return fmt::format("{:.0f} ns", ns);
}

std::string percentiles_text(const char* what, const std::optional<Percentiles>& of) {
  if (!of) return {};
  const auto text = [](std::uint64_t ns) { return duration_text(static_cast<double>(ns)); };
  return fmt::format("  {:<11} min {}, mean {}, p50 {}, p90 {}, p99 {}, p99.9 {}, max {}\n", what, text(of->min),
                     duration_text(of->mean), text(of->p50), text(of->p90), text(of->p99), text(of->p999),
                     text(of->max));
}

using Named = std::pair<const char*, const std::optional<std::uint64_t>&>;

std::vector<Named> counts_of(const Totals& totals) {
  return {{"tried", totals.tried},
          {"sent", totals.sent},
          {"dropped", totals.dropped},
          {"received", totals.received},
          {"lost", totals.lost},
          {"duplicates", totals.duplicates},
          {"reordered", totals.reordered},
          {"corrupt", totals.corrupt},
          {"missed", totals.missed},
          {"foreign", totals.foreign},
          {"unsendable", totals.unsendable},
          {"cut", totals.cut}};
}

// What is always told, even if it is 0.
bool is_main(std::string_view name) {
  return name == "sent" || name == "received" || name == "lost" || name == "dropped";
}

std::string counts_text(const Totals& totals) {
  std::string text;
  for (const auto& [name, count] : counts_of(totals)) {
    if (!count || (*count == 0 && !is_main(name))) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, options::group_digits(*count));
  }
  return text;
}

}  // namespace

void Distribution::add(const Delays& delays) {
  for (std::size_t bucket = 0; bucket < Delays::buckets; ++bucket) counts_[bucket] += delays.count_of(bucket);
  sum_ += delays.sum();
  min_ = std::min(min_, delays.min());
  max_ = std::max(max_, delays.max());
}

// The smallest bucket's bound that `fraction` of all do not exceed.
std::uint64_t Distribution::at(double fraction, std::uint64_t count) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(count)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < Delays::buckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= wanted) return std::clamp(Delays::upper_bound(bucket), min_, max_);
  }
  return max_;
}

std::optional<Percentiles> Distribution::percentiles() const {
  const auto count = std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
  if (count == 0) return std::nullopt;
  return Percentiles{count,
                     min_,
                     at(0.5, count),
                     at(0.9, count),
                     at(0.99, count),
                     at(0.999, count),
                     max_,
                     static_cast<double>(sum_) / static_cast<double>(count)};
}

Rates rates_between(const Totals& before, const Totals& now) {
  if (now.elapsed_ns <= before.elapsed_ns) return {};
  const auto seconds = static_cast<double>(now.elapsed_ns - before.elapsed_ns) / 1e9;
  const bool receives = now.received.has_value();
  const auto more = [](const std::optional<std::uint64_t>& a, const std::optional<std::uint64_t>& b) {
    return static_cast<double>(b.value_or(0) - a.value_or(0));
  };
  const auto packets = receives ? more(before.received, now.received) : more(before.sent, now.sent);
  const auto bytes =
      receives ? more(before.received_bytes, now.received_bytes) : more(before.sent_bytes, now.sent_bytes);
  return {packets / seconds, 8 * bytes / seconds / 1e9};
}

std::string json_line(const About& about, const Totals& totals, const Rates& rates, bool final) {
  Json line{{"time", rfc3339(time_now())},
            {"application", about.application},
            {"at", about.at},
            {"elapsed_ns", totals.elapsed_ns},
            {"final", final}};
  line["frame_bytes_without_fcs"] =
      about.sizes.empty() ? Json() : Json{{"sizes", about.sizes}, {"mean", about.mean_bytes}};
  line["rate"] = or_null(about.rate);
  line["burst"] = about.burst;
  for (const auto& [name, count] : counts_of(totals)) line[name] = or_null(count);
  line["sent_bytes"] = or_null(totals.sent_bytes);
  line["received_bytes"] = or_null(totals.received_bytes);
  line["warm_up"] = totals.warm_up;
  line["pps"] = rates.pps;
  line["gbps"] = rates.gbps;
  line["delay_ns"] = percentiles_json(totals.delay);
  line["lateness_ns"] = percentiles_json(totals.lateness);
  line["gap_error_ns"] = percentiles_json(totals.gap_error);
  line["cpu_share"] = or_null(totals.cpu_share);
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string text_line(const Totals& totals, const Rates& rates) {
  std::string delay;
  if (totals.delay)
    delay = fmt::format(", delay p50 {} p99 {}", duration_text(static_cast<double>(totals.delay->p50)),
                        duration_text(static_cast<double>(totals.delay->p99)));
  return fmt::format("{:7.1f} s  {}, {}  {}{}\n", static_cast<double>(totals.elapsed_ns) / 1e9,
                     with_unit(rates.pps, "pps"), with_unit(rates.gbps * 1e9, "bit/s"), counts_text(totals), delay);
}

std::string text_page(const About& about, const Totals& totals, const Rates& rates) {
  auto text = fmt::format("{} at {}: {}\n", about.application, about.at, counts_text(totals));
  const auto seconds = static_cast<double>(totals.elapsed_ns) / 1e9;
  text += fmt::format("  {:<11} {}, {} in {:.3f} s (bytes of frames without FCS)\n", "rate",
                      with_unit(rates.pps, "pps"), with_unit(rates.gbps * 1e9, "bit/s"), seconds);
  if (!about.sizes.empty())
    text += fmt::format("  {:<11} {} bytes without FCS, mean {:.1f}; bursts of {}\n", "frames", about.sizes,
                        about.mean_bytes, about.burst);
  if (about.rate && totals.tried && seconds > 0) {
    const auto wanted = static_cast<double>(*about.rate);
    const auto offered = static_cast<double>(*totals.tried) / seconds;
    text += fmt::format("  {:<11} {} asked for, {:+.3f} %\n", "pace", with_unit(wanted, "pps"),
                        100 * (offered / wanted - 1));
  }
  text += percentiles_text("delay", totals.delay) + percentiles_text("lateness", totals.lateness) +
          percentiles_text("gap error", totals.gap_error);
  if (totals.cpu_share) text += fmt::format("  {:<11} {:.1f} % of a CPU\n", "its thread", 100 * *totals.cpu_share);
  return text;
}

}  // namespace wirespool::traffic

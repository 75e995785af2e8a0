// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wirespool/timestamp.hpp"

namespace wirespool::serve {

// The two texts that a scraper may want: Prometheus's, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats), and OpenMetrics 1.0
// (https://prometheus.io/docs/specs/om/open_metrics_spec).
enum class Form { text, openmetrics };

// By an Accept header (RFC 9110, 12.5.1), "" if there was none: OpenMetrics where it is asked for by name and no less
// than the other; text for everything else.
Form form_for(std::string_view accept);
std::string content_type(Form form);

enum class Kind { counter, gauge, histogram, info };

// Writes families of samples, each with its HELP and TYPE in front, in the syntax of either form. Counters are given
// their `_total`, and for OpenMetrics the `_created` that says when they were 0. A family without a sample is left out.
class FamilyWriter {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string>>;

  FamilyWriter(Form form, Timestamp start) : form_(form), start_(start) {}

  // The samples until the next call are of this family. `name`: without a suffix; all of a family's samples follow each
  // other. `help`: a sentence.
  void family(std::string_view name, Kind kind, std::string_view help);

  void sample(const Labels& labels, std::uint64_t value) { sample(labels, std::to_string(value)); }
  void sample(const Labels& labels, std::int64_t value) { sample(labels, std::to_string(value)); }
  void seconds(const Labels& labels, std::uint64_t nanoseconds);  // shown as seconds, every digit of them
  // Of a histogram: its buckets with the largest value of each in nanoseconds, counted up from the first; what is in
  // none of them; the sum of all values.
  void durations(const Labels& labels, const std::vector<std::pair<std::uint64_t, std::uint64_t>>& at_most,
                 std::uint64_t all, std::uint64_t sum_ns);

  std::string finish();  // the whole text

 private:
  void head();
  void sample(const Labels& labels, const std::string& value);
  void line(std::string_view suffix, const Labels& labels, const std::string& value);

  Form form_;
  Timestamp start_;
  std::string text_;
  std::string name_, help_;
  Kind kind_ = Kind::gauge;
  bool has_head_ = false;
};

}  // namespace wirespool::serve

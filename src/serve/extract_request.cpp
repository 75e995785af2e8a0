// SPDX-License-Identifier: BSD-3-Clause
#include "serve/extract_request.hpp"

#include <algorithm>
#include <utility>

#include "options/read.hpp"
#include "serve/spool_answers.hpp"
#include "serve/stenographer.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::serve {
namespace {

using Options = tools::ExtractOptions;

// Of all files together; a capture beside the service needs the memory more.
constexpr std::size_t buffer_bytes = 32 << 20;

std::expected<void, Error> wrong(const std::string& name, std::string why, std::string what_to_do) {
  return std::unexpected(Error{name, std::move(why), std::move(what_to_do)});
}

std::expected<void, Error> set_time(Timestamp& time, const std::string& name, const std::string& text) {
  const auto moment = parse_time(text, time_now());
  if (!moment) return wrong(name, moment.error().why, moment.error().what_to_do);
  time = *moment;
  return {};
}

std::expected<void, Error> set_format(Options& options, const std::string& text) {
  options.format = text == "pcapng" ? tools::OutputFormat::pcapng : tools::OutputFormat::pcap;
  if (text == "pcap" || text == "pcapng") return {};
  return wrong("format", text + " is none", "write pcap or pcapng");
}

std::expected<void, Error> set_slice(Options& options, const std::string& text) {
  options.slice = format::slice_of(text);
  return options.slice ? std::expected<void, Error>()
                       : wrong("slice", text + " is none", "write l2, l3, l4 or a number of bytes");
}

std::expected<void, Error> set_inner(Options& options, const std::string& text) {
  options.inner = text == "true";
  if (options.inner || text == "false") return {};
  return wrong("inner", text + " is neither", "write true or false");
}

std::expected<void, Error> set_limit(Options& options, const std::string& text) {
  const auto limit = options::parse_whole(text, UINT64_MAX);
  if (!limit || *limit == 0) return wrong("limit", text + " is no number of packets", "write 1 or more");
  options.packets = *limit;
  return {};
}

std::expected<void, Error> set(Options& options, const std::string& name, const std::string& value) {
  if (name == "from") return set_time(options.from, name, value);
  if (name == "to") return set_time(options.to, name, value);
  if (name == "format") return set_format(options, value);
  if (name == "slice") return set_slice(options, value);
  if (name == "inner") return set_inner(options, value);
  if (name == "limit") return set_limit(options, value);
  if (name == "filter") options.filters = {value};
  if (name == "flow") options.flow = value;
  if (name == "community_id") options.community_id = value;
  return {};
}

}  // namespace

const std::set<std::string_view> extract_parameters = {"from",  "to",     "filter", "flow", "community_id",
                                                       "inner", "format", "slice",  "limit"};

std::expected<Options, Error> extract_options(const std::multimap<std::string, std::string>& parameters) {
  Options options;
  options.buffer_bytes = buffer_bytes;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;  // as a form sends what is not filled in
    if (auto done = set(options, name, value); !done) return std::unexpected(done.error());
  }
  if (options.from >= options.to)
    return std::unexpected(Error{"to", "it is not later than from", "give a later time, or leave it out"});
  return options;
}

std::expected<Options, Error> stenographer_options(const Request& request, Timestamp now) {
  auto query = stenographer_query(request.body, now);
  if (!query) return std::unexpected(std::move(query.error()));
  auto options = extract_options(request.parameters);
  if (!options) return options;
  const auto limit = [](std::uint64_t& field, const char* name, const std::string& text) -> std::expected<void, Error> {
    if (text.empty()) return {};
    const auto value = options::parse_whole(text, UINT64_MAX);
    if (!value) return wrong(name, text + " is no number", "leave the header out, or write a whole number");
    if (*value > 0) field = *value;  // 0 is none, as stenographer has it
    return {};
  };
  if (auto done = limit(options->packets, "Steno-Limit-Packets", request.limit_packets); !done)
    return std::unexpected(done.error());
  if (auto done = limit(options->bytes, "Steno-Limit-Bytes", request.limit_bytes); !done)
    return std::unexpected(done.error());
  options->filter = std::move(query->filter);
  if (query->from >= query->to) {
    options->packets = 0;  // before a time and after a later one
    return options;
  }
  options->from = query->from;
  options->to = query->to;
  return options;
}

// Errors of options have the option's name.
Answer refused_extraction(const Error& error) {
  if (!error.what.starts_with("--")) return error_answer(503, error);
  auto name = error.what.substr(2);
  std::ranges::replace(name, '-', '_');
  return error_answer(400, {name, error.why, error.what_to_do});
}

}  // namespace wirespool::serve

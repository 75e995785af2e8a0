// SPDX-License-Identifier: BSD-3-Clause
#include "serve/pins.hpp"

#include <utility>

#include "format/file_name.hpp"
#include "format/json_fields.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::serve {
namespace {

constexpr std::string_view json_type = "application/json";

std::expected<void, Error> set_time(std::optional<Timestamp>& time, const std::string& name, const std::string& text) {
  const auto moment = parse_time(text, time_now());
  if (!moment) return std::unexpected(Error{name, moment.error().why, moment.error().what_to_do});
  time = *moment;
  return {};
}

std::expected<void, Error> set(tools::KeepOptions& options, const std::string& name, const std::string& value) {
  if (value.empty()) return {};  // as a form sends what is not filled in
  if (name == "from") return set_time(options.from, name, value);
  if (name == "to") return set_time(options.to, name, value);
  if (name == "filter") options.filter = value;
  if (name == "reason") options.reason = value;
  return {};
}

}  // namespace

bool is_pin_request(const Request& request) {
  return std::string_view(request.content_type).substr(0, request.content_type.find(';')) == json_type;
}

std::expected<tools::KeepOptions, Error> pin_options(const std::string& body, const AuditEntry& audit) {
  const auto no_object = [](const std::string& why) {
    return std::unexpected(Error{"body", why, R"(send {"from":"-10m","to":"+0s","filter":"host 10.1.2.3"})"});
  };
  tools::KeepOptions options;
  options.who = audit.by + " at " + audit.client + ", by wirespool serve";
  format::JsonText json(body);
  format::JsonFields fields(json);
  if (fields.any_problem()) return no_object(json.problem());
  for (const auto* name : {"from", "to", "filter", "reason"}) {
    if (!fields.has(name)) continue;
    const auto value = fields.text(name);
    if (fields.any_problem()) return no_object(json.problem());
    if (auto done = set(options, name, value); !done) return std::unexpected(done.error());
  }
  if (const auto others = fields.others(); !others.empty())
    return no_object("there is no '" + others.front().first + "'");
  if (!options.from && !options.to && options.filter.empty())
    return std::unexpected(Error{"from", "it would pin every file", "say which by from and to, and by filter"});
  return options;
}

const std::set<std::string_view> release_parameters = {"from", "to", "file"};

std::expected<tools::KeepOptions, Error> release_options(const std::multimap<std::string, std::string>& parameters) {
  tools::KeepOptions options;
  options.release = true;
  for (const auto& [name, value] : parameters) {
    if (auto done = set(options, name, value); !done) return std::unexpected(done.error());
    if (name == "file") options.only = value;
  }
  if (!options.only.empty() && !format::parse_file_name(options.only))
    return std::unexpected(
        Error{"file", "no capture file has such a name", "give one that /api/pins names, without its directory"});
  if (options.only.empty() && !options.from && !options.to)
    return std::unexpected(Error{"from", "it would release every pin", "say which by from and to, or by file"});
  return options;
}

}  // namespace wirespool::serve

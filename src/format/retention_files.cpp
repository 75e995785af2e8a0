// SPDX-License-Identifier: BSD-3-Clause
#include "format/retention_files.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "wirespool/time_text.hpp"

namespace wirespool::format {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::optional<Timestamp>& time) { return time ? Json(rfc3339(*time)) : Json(nullptr); }

std::string text_of(Json json, const OtherFields& others) {
  for (const auto& [name, value] : others) json[name] = Json::parse(value);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string encode_pin(const Pin& pin) {
  return text_of({{"when", rfc3339(pin.when)},
                  {"who", pin.who},
                  {"reason", pin.reason},
                  {"from", json_of(pin.from)},
                  {"to", json_of(pin.to)},
                  {"filter", pin.filter}},
                 pin.others);
}

std::expected<Pin, std::string> decode_pin(std::string_view written) {
  JsonText text(written);
  JsonFields fields(text);
  Pin pin;
  pin.when = fields.time("when");
  pin.who = fields.text("who");
  pin.reason = fields.text("reason");
  pin.from = fields.time_or_null("from");
  pin.to = fields.time_or_null("to");
  pin.filter = fields.text("filter");
  pin.others = fields.others();
  if (!text.problem().empty()) return std::unexpected(text.problem());
  return pin;
}

Removed& Removed::operator+=(const Removed& more) {
  files += more.files;
  packets += more.packets;
  bytes += more.bytes;
  file_bytes += more.file_bytes;
  last = std::max(last, more.last);
  return *this;
}

std::string encode_removed(const Removed& removed) {
  return text_of({{"files", removed.files},
                  {"packets", removed.packets},
                  {"bytes", removed.bytes},
                  {"file_bytes", removed.file_bytes},
                  {"last", rfc3339(removed.last)}},
                 removed.others);
}

std::expected<Removed, std::string> decode_removed(std::string_view written) {
  JsonText text(written);
  JsonFields fields(text);
  Removed removed;
  removed.files = fields.count("files");
  removed.packets = fields.count("packets");
  removed.bytes = fields.count("bytes");
  removed.file_bytes = fields.count("file_bytes");
  removed.last = fields.time("last");
  removed.others = fields.others();
  if (!text.problem().empty()) return std::unexpected(text.problem());
  return removed;
}

std::string encode_archived(const Archived& archived) {
  return text_of({{"directories", archived.directories}}, archived.others);
}

std::expected<Archived, std::string> decode_archived(std::string_view written) {
  JsonText text(written);
  JsonFields fields(text);
  Archived archived;
  archived.directories = fields.texts("directories");
  archived.others = fields.others();
  if (!text.problem().empty()) return std::unexpected(text.problem());
  return archived;
}

}  // namespace wirespool::format

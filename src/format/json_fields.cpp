// SPDX-License-Identifier: BSD-3-Clause
#include "format/json_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <nlohmann/json.hpp>

#include "wirespool/time_text.hpp"

namespace wirespool::format {
namespace {

using Json = nlohmann::json;  // a map: a hostile object of very many fields costs no quadratic search

constexpr int deepest_nesting = 32;
constexpr std::size_t most_other_fields = 256;

bool nests_too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') ++i;
    if (quoted) continue;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > deepest_nesting) return true;
  }
  return false;
}

const Json& json_at(const void* value) { return *static_cast<const Json*>(value); }

}  // namespace

struct JsonText::Parsed {
  Json json;
};

JsonText::JsonText(std::string_view text) : parsed_(std::make_unique<Parsed>()) {
  parsed_->json =
      nests_too_deep(text) ? Json(Json::value_t::discarded) : Json::parse(text.begin(), text.end(), nullptr, false);
  if (!parsed_->json.is_object()) wrong("it is no JSON object");
}

JsonText::~JsonText() = default;

void JsonText::wrong(std::string what) {
  if (problem_.empty()) problem_ = std::move(what);
}

JsonFields::JsonFields(JsonText& text)
    : JsonFields(text, text.parsed_->json.is_object() ? &text.parsed_->json : nullptr, "") {}

void JsonFields::wrong(std::string_view name, const std::string& what) {
  text_->wrong(fmt::format("{}{} {}", path_, name, what));
}

bool JsonFields::has(std::string_view name) const { return value_ != nullptr && json_at(value_).contains(name); }

const void* JsonFields::find(const char* name) {
  if (value_ == nullptr) return nullptr;
  asked_.emplace_back(name);
  const auto found = json_at(value_).find(name);
  if (found != json_at(value_).end()) return &*found;
  wrong(name, "is missing");
  return nullptr;
}

std::uint64_t JsonFields::count(const char* name) {
  const auto* value = find(name);
  if (value == nullptr) return 0;
  if (json_at(value).is_number_unsigned()) return json_at(value).get<std::uint64_t>();
  wrong(name, "is no count");
  return 0;
}

std::optional<std::uint64_t> JsonFields::count_or_null(const char* name) {
  if (has(name) && json_at(find(name)).is_null()) return std::nullopt;
  return count(name);
}

std::int64_t JsonFields::signed_count(const char* name) {
  const auto* value = find(name);
  if (value == nullptr) return 0;
  const auto& json = json_at(value);
  const bool fits = json.is_number_integer() && (!json.is_number_unsigned() || json.get<std::uint64_t>() <= INT64_MAX);
  if (fits) return json.get<std::int64_t>();
  wrong(name, "is no number of 64 bits with a sign");
  return 0;
}

unsigned JsonFields::small_count(const char* name) {
  const auto value = count(name);
  if (value > UINT32_MAX) wrong(name, "is too large");
  return static_cast<unsigned>(value);
}

double JsonFields::number(const char* name) {
  const auto* value = find(name);
  if (value == nullptr) return 0;
  if (json_at(value).is_number()) return json_at(value).get<double>();
  wrong(name, "is no number");
  return 0;
}

bool JsonFields::truth(const char* name) {
  const auto* value = find(name);
  if (value == nullptr) return false;
  if (json_at(value).is_boolean()) return json_at(value).get<bool>();
  wrong(name, "is neither true nor false");
  return false;
}

std::string JsonFields::text(const char* name) {
  const auto* value = find(name);
  if (value == nullptr) return {};
  if (json_at(value).is_string()) return json_at(value).get<std::string>();
  wrong(name, "is no text");
  return {};
}

std::string JsonFields::text_or_null(const char* name) {
  return has(name) && json_at(find(name)).is_null() ? std::string() : text(name);
}

std::string JsonFields::word(const char* name) {
  constexpr std::size_t longest = 32;
  auto word = text(name);
  if (word.size() <= longest) return word;
  wrong(name, "is no word");
  return {};
}

std::string JsonFields::word_or_null(const char* name) {
  return has(name) && json_at(find(name)).is_null() ? std::string() : word(name);
}

Timestamp JsonFields::time(const char* name) {
  const auto written = text(name);
  if (any_problem()) return {};
  if (const auto time = from_rfc3339(written)) return *time;
  wrong(name, "is no UTC time as RFC 3339 has it");
  return {};
}

std::optional<Timestamp> JsonFields::time_or_null(const char* name) {
  if (has(name) && json_at(find(name)).is_null()) return std::nullopt;
  return time(name);
}

std::vector<std::uint64_t> JsonFields::counts(const char* name) {
  constexpr std::size_t most = 64;
  std::vector<std::uint64_t> counts;
  const auto* value = find(name);
  if (value == nullptr) return counts;
  if (!json_at(value).is_array()) wrong(name, "is no array");
  if (json_at(value).is_array() && json_at(value).size() > most) wrong(name, "are more than 64");
  if (any_problem()) return counts;
  for (const auto& element : json_at(value)) {
    if (!element.is_number_unsigned()) wrong(name, "holds something that is no count");
    counts.push_back(element.is_number_unsigned() ? element.get<std::uint64_t>() : 0);
  }
  return counts;
}

std::vector<std::string> JsonFields::texts(const char* name) {
  std::vector<std::string> texts;
  const auto* value = find(name);
  if (value == nullptr) return texts;
  if (!json_at(value).is_array()) wrong(name, "is no array");
  for (const auto& element : json_at(value)) {
    if (!element.is_string()) wrong(name, "holds something that is no text");
    texts.push_back(element.is_string() ? element.get<std::string>() : std::string());
  }
  return texts;
}

template <class T>
ByName<T> JsonFields::by_name(const char* name) {
  constexpr bool texts = std::same_as<T, std::string>;
  ByName<T> pairs;
  auto fields = object(name);
  if (fields.value_ == nullptr) return pairs;
  for (const auto& [key, value] : json_at(fields.value_).items()) {
    const bool right = texts ? value.is_string() : value.is_number_unsigned();
    if (!right) fields.wrong(key, texts ? "is no text" : "is no count");
    pairs.emplace_back(key, right ? value.template get<T>() : T());
  }
  return pairs;
}
template ByName<std::string> JsonFields::by_name(const char* name);
template ByName<std::uint64_t> JsonFields::by_name(const char* name);

JsonFields JsonFields::object(const char* name) {
  const auto* value = find(name);
  if (value != nullptr && !json_at(value).is_object()) {
    wrong(name, "is no object");
    value = nullptr;
  }
  return {*text_, value, fmt::format("{}{}.", path_, name)};
}

std::optional<JsonFields> JsonFields::object_or_null(const char* name) {
  if (has(name) && json_at(find(name)).is_null()) return std::nullopt;
  return object(name);
}

std::vector<JsonFields> JsonFields::objects(const char* name) {
  std::vector<JsonFields> objects;
  const auto* value = find(name);
  if (value == nullptr) return objects;
  if (!json_at(value).is_array()) {
    wrong(name, "is no array");
    return objects;
  }
  for (const auto& element : json_at(value)) {
    const auto place = fmt::format("{}[{}]", name, objects.size());
    if (!element.is_object()) {
      wrong(place, "is no object");
      return objects;
    }
    objects.push_back({*text_, &element, fmt::format("{}{}.", path_, place)});
  }
  return objects;
}

std::string JsonFields::json(const char* name) {
  const auto fields = object(name);
  return fields.value_ == nullptr ? std::string("{}") : json_at(fields.value_).dump();
}

OtherFields JsonFields::others() {
  OtherFields others;
  if (value_ == nullptr) return others;
  for (const auto& [name, value] : json_at(value_).items()) {
    if (std::ranges::find(asked_, name) != asked_.end()) continue;
    if (others.size() == most_other_fields) {
      text_->wrong(fmt::format("{}* are more than {} fields that nobody knows", path_, most_other_fields));
      break;
    }
    others.emplace_back(name, value.dump());
  }
  return others;
}

}  // namespace wirespool::format

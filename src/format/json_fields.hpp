// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wirespool/timestamp.hpp"

namespace wirespool::format {

// Fields of a JSON object that this version does not know: name, and value as JSON text. They are kept when the object
// is written again.
using OtherFields = std::vector<std::pair<std::string, std::string>>;

// In order of their names.
template <class T>
using ByName = std::vector<std::pair<std::string, T>>;

// A parsed JSON text. Refuses more than 32 levels of nesting. Takes up to 70 times the text's length of memory, so the
// caller has to bound the length.
class JsonText {
 public:
  explicit JsonText(std::string_view text);
  ~JsonText();
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  // The first thing that is wrong with this text or with a field that was read from it; empty if nothing is.
  const std::string& problem() const { return problem_; }

 private:
  friend class JsonFields;
  struct Parsed;
  void wrong(std::string what);

  std::unique_ptr<Parsed> parsed_;
  std::string problem_;
};

// The fields of one object in a JsonText, which must outlive it. A field that is missing or of another kind reads as
// nothing, and becomes the text's problem(), with its name.
class JsonFields {
 public:
  explicit JsonFields(JsonText& text);  // of the outermost object

  bool has(std::string_view name) const;
  bool any_problem() const { return !text_->problem().empty(); }

  std::uint64_t count(const char* name);
  std::optional<std::uint64_t> count_or_null(const char* name);
  std::int64_t signed_count(const char* name);
  unsigned small_count(const char* name);  // of 32 bits
  double number(const char* name);
  bool truth(const char* name);
  std::string text(const char* name);
  std::string text_or_null(const char* name);  // empty for null
  std::string word(const char* name);          // of 32 characters at most
  std::string word_or_null(const char* name);  // empty for null
  Timestamp time(const char* name);            // RFC 3339, UTC
  std::optional<Timestamp> time_or_null(const char* name);
  std::vector<std::string> texts(const char* name);
  std::vector<std::uint64_t> counts(const char* name);  // up to 64
  // An object's fields, all texts (std::string) or all counts (std::uint64_t).
  template <class T>
  ByName<T> by_name(const char* name);
  JsonFields object(const char* name);
  std::optional<JsonFields> object_or_null(const char* name);
  std::vector<JsonFields> objects(const char* name);
  std::string json(const char* name);  // an object, as text

  // All that were not asked for by name.
  OtherFields others();

 private:
  JsonFields(JsonText& text, const void* value, std::string path)
      : text_(&text), value_(value), path_(std::move(path)) {}
  const void* find(const char* name);
  void wrong(std::string_view name, const std::string& what);

  JsonText* text_;
  const void* value_;  // in text_; nullptr: no object
  std::string path_;   // with a dot at the end, or empty
  std::vector<std::string_view> asked_ = {};
};

}  // namespace wirespool::format

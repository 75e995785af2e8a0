// SPDX-License-Identifier: BSD-3-Clause
#include "cli/config_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/errors.hpp"

namespace wirespool::cli {
namespace {

std::string place(const std::string& path, unsigned line) { return fmt::format("{}:{}", path, line); }

Error unknown_key(const options::Page& page, const std::string& path, const TomlEntry& entry) {
  std::vector<std::string> keys{"eal"};
  for (const auto& option : page.options) {
    if (option.in_file && !option.key().empty()) keys.push_back(option.key());
  }
  const auto match = closest(entry.key, keys);
  return {place_of(path, entry), fmt::format("unknown key \"{}\"", entry.key),
          match.empty() ? "keys are the long names of options" : fmt::format("did you mean {}?", match)};
}

}  // namespace

std::string place_of(const std::string& path, const TomlEntry& entry) { return place(path, entry.line); }

std::expected<std::vector<TomlEntry>, Error> read_config_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code none;
  if (!file || std::filesystem::is_directory(path, none)) {
    return std::unexpected(Error{"--config", path + " cannot be read", "give a file that is there"});
  }
  std::ostringstream text;
  text << file.rdbuf();
  auto entries = parse_toml(text.str());
  if (!entries) return std::unexpected(Error{place(path, entries.error().line), entries.error().why, ""});
  return *entries;
}

std::expected<Given, Error> given_by(const TomlEntry& entry, const options::Page& page, const std::string& path) {
  const auto option = std::ranges::find(page.options, "--" + entry.key, &options::Option::name);
  if (option == page.options.end() || !option->in_file) return std::unexpected(unknown_key(page, path, entry));
  if (option->is_flag() && !entry.is_boolean) {
    return std::unexpected(Error{place_of(path, entry), entry.key + " is true or false", ""});
  }
  if (entry.is_array && !option->repeats()) {
    return std::unexpected(Error{place_of(path, entry), entry.key + " takes one value, not an array", ""});
  }
  return Given{option->name, entry.values};
}

}  // namespace wirespool::cli

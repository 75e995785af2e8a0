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

// Options that a file may not set: they belong to the command line alone.
bool settable(const CLI::Option& option) { return option.get_configurable(); }

std::vector<std::string> keys_of(const CLI::App& app) {
  std::vector<std::string> keys{"eal"};
  for (const auto* option : app.get_options()) {
    if (settable(*option)) keys.insert(keys.end(), option->get_lnames().begin(), option->get_lnames().end());
  }
  return keys;
}

UsageError unknown_key(const CLI::App& app, const std::string& path, const TomlEntry& entry) {
  const auto match = closest(entry.key, keys_of(app));
  return {place(path, entry.line), fmt::format("unknown key \"{}\"", entry.key),
          match.empty() ? "keys are the long names of options" : fmt::format("did you mean {}?", match)};
}

void check_kind(const CLI::Option& option, const std::string& path, const TomlEntry& entry) {
  const bool flag = option.get_items_expected_max() == 0;
  if (flag && !entry.is_boolean) throw UsageError{place(path, entry.line), entry.key + " is true or false", ""};
  if (entry.is_array && option.get_items_expected_max() < 2) {
    throw UsageError{place(path, entry.line), entry.key + " takes one value, not an array", ""};
  }
}

void set(CLI::Option& option, const std::string& path, const TomlEntry& entry) {
  check_kind(option, path, entry);
  if (entry.values.empty()) return;  // an empty array: none, as if it were not there
  option.add_result(entry.values);
  try {
    option.run_callback();
  } catch (const UsageError& error) {
    throw UsageError{place(path, entry.line), fmt::format("{}: {}", entry.key, error.why), error.what_to_do};
  } catch (const CLI::ParseError& error) {
    throw UsageError{place(path, entry.line), fmt::format("{}: {}", entry.key, error.what()), ""};
  }
}

}  // namespace

std::vector<TomlEntry> read_config_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code none;
  if (!file || std::filesystem::is_directory(path, none)) {
    throw UsageError{"--config", path + " cannot be read", "give a file that is there"};
  }
  std::ostringstream text;
  text << file.rdbuf();
  auto entries = parse_toml(text.str());
  if (!entries) throw UsageError{place(path, entries.error().line), entries.error().why, ""};
  return *entries;
}

void apply_config_file(CLI::App& app, const std::string& path, const std::vector<TomlEntry>& entries) {
  for (const auto& entry : entries) {
    auto* option = app.get_option_no_throw("--" + entry.key);
    if (option == nullptr || !settable(*option)) throw unknown_key(app, path, entry);
    if (option->count() == 0) set(*option, path, entry);
  }
}

}  // namespace wirespool::cli

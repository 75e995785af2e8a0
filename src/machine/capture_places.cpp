// SPDX-License-Identifier: BSD-3-Clause
#include "machine/capture_places.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string_view>

namespace wirespool::machine {
namespace {

using Words = std::vector<std::string>;

constexpr std::string_view services = "etc/wirespool", suffix = ".env";

Words split(const std::string& text, char end) {
  Words words;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, end);) words.push_back(word);
  return words;
}

// The value of the last such line, without its quotes.
std::string value_in(const std::string& text, const std::string& variable) {
  std::string value;
  for (const auto& line : split(text, '\n')) {
    if (line.starts_with(variable + "=")) value = line.substr(variable.size() + 1);
  }
  const bool quoted =
      value.size() > 1 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
  return quoted ? value.substr(1, value.size() - 2) : value;
}

std::vector<CapturePlaces> look_for_services(const MachineTree& tree) {
  std::vector<CapturePlaces> found;
  for (const auto& file : tree.names(services)) {
    if (!file.ends_with(suffix)) continue;
    const auto text = tree.text(std::string(services) + "/" + file);
    std::istringstream words(value_in(text.value_or(""), "WIRESPOOL_DIRECTORIES"));
    CapturePlaces places{file.substr(0, file.size() - suffix.size()), false, {}};
    for (std::string word; words >> word;) places.directories.push_back(word);
    if (!places.directories.empty()) found.push_back(std::move(places));
  }
  return found;
}

// A relative one counts from the directory that the process is in, which only its user may know.
std::optional<std::string> absolute(const MachineTree& tree, const std::string& process, const std::string& directory) {
  if (directory.starts_with('/')) return directory;
  const auto from = tree.link_target(process + "/cwd");
  if (from.empty()) return std::nullopt;
  return (std::filesystem::path(from) / directory).lexically_normal().string();
}

Words outputs(const Words& arguments) {
  constexpr std::string_view option = "--output", with_value = "--output=";
  Words found;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == option && i + 1 < arguments.size()) found.push_back(arguments[++i]);
    if (arguments[i].starts_with(with_value)) found.push_back(arguments[i].substr(with_value.size()));
  }
  return found;
}

std::optional<CapturePlaces> look_at_process(const MachineTree& tree, const std::string& pid) {
  const auto process = "proc/" + pid;
  const auto arguments = split(tree.text(process + "/cmdline").value_or(""), '\0');
  if (arguments.size() < 2 || arguments[1] != "capture") return std::nullopt;
  if (std::filesystem::path(arguments[0]).filename() != "wirespool") return std::nullopt;
  CapturePlaces places{pid, true, {}};
  for (const auto& output : outputs(arguments)) {
    if (auto directory = absolute(tree, process, output)) places.directories.push_back(std::move(*directory));
  }
  return places.directories.empty() ? std::nullopt : std::optional(std::move(places));
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

std::vector<CapturePlaces> look_for_captures(const MachineTree& tree) {
  auto found = look_for_services(tree);
  for (const auto& name : tree.names("proc")) {
    if (!is_number(name)) continue;
    auto places = look_at_process(tree, name);
    if (!places) continue;
    const auto service = std::ranges::find(found, places->directories, &CapturePlaces::directories);
    if (service == found.end())
      found.push_back(std::move(*places));
    else
      service->running = true;
  }
  return found;
}

}  // namespace wirespool::machine

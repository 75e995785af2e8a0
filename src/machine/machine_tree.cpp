// SPDX-License-Identifier: BSD-3-Clause
#include "machine/machine_tree.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <system_error>

namespace wirespool::machine {
namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::string trimmed(std::string text) {
  const auto end = text.find_last_not_of(" \t\r\n");
  text.erase(end == std::string::npos ? 0 : end + 1);
  text.erase(0, std::min(text.find_first_not_of(" \t"), text.size()));
  return text;
}

template <class Number>
std::optional<Number> to_number(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x");
  if (hexadecimal) text.remove_prefix(2);
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hexadecimal ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool was_refused(int error) { return error == EACCES || error == EPERM; }

}  // namespace

std::optional<std::string> MachineTree::text(std::string_view below) const {
  const auto note_refusal = [&](int error) {
    if (was_refused(error)) refused_[std::string(below)] = std::generic_category().message(error);
    return std::nullopt;
  };
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path(below).c_str(), "re"));
  if (!file) return note_refusal(errno);
  std::string text;
  char buffer[4096];
  while (const auto got = std::fread(buffer, 1, sizeof buffer, file.get())) text.append(buffer, got);
  // Some sysfs files exist but give no answer now (the speed of a link that is down: EINVAL); that is no refusal.
  if (std::ferror(file.get())) return note_refusal(errno);
  return text;
}

std::optional<std::string> MachineTree::line(std::string_view below) const {
  auto whole = text(below);
  if (!whole) return std::nullopt;
  return trimmed(whole->substr(0, whole->find('\n')));
}

std::optional<std::uint64_t> MachineTree::number(std::string_view below) const {
  const auto text = line(below);
  return text ? to_number<std::uint64_t>(*text) : std::nullopt;
}

std::optional<std::int64_t> MachineTree::signed_number(std::string_view below) const {
  const auto text = line(below);
  return text ? to_number<std::int64_t>(*text) : std::nullopt;
}

std::vector<std::string> MachineTree::names(std::string_view below) const {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(path(below), error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename());
  }
  if (was_refused(error.value())) refused_[std::string(below)] = error.message();
  std::sort(names.begin(), names.end());
  return names;
}

std::string MachineTree::link_name(std::string_view below) const {
  return std::filesystem::path(link_target(below)).filename();
}

std::string MachineTree::link_target(std::string_view below) const {
  std::error_code error;
  const auto target = std::filesystem::read_symlink(path(below), error);
  return error ? std::string() : target.string();
}

bool MachineTree::exists(std::string_view below) const {
  std::error_code error;
  return std::filesystem::exists(path(below), error);
}

std::vector<unsigned> parse_cpu_list(std::string_view list) {
  std::vector<unsigned> cpus;
  while (!list.empty()) {
    const auto part = list.substr(0, list.find(','));
    list.remove_prefix(std::min(part.size() + 1, list.size()));
    const auto dash = part.find('-');
    const auto first = to_number<unsigned>(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : to_number<unsigned>(part.substr(dash + 1));
    if (!first || !last) continue;
    for (auto cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

std::string format_cpu_list(const std::vector<unsigned>& cpus) {
  std::string list;
  for (std::size_t i = 0; i < cpus.size();) {
    auto end = i + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    if (!list.empty()) list += ',';
    list += std::to_string(cpus[i]);
    if (end - i > 1) list += '-' + std::to_string(cpus[end - 1]);
    i = end;
  }
  return list;
}

}  // namespace wirespool::machine

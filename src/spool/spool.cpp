// SPDX-License-Identifier: BSD-3-Clause
#include "wirespool/spool.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <tuple>

#include "format/file_name.hpp"
#include "format/index_file.hpp"
#include "spool/index_store.hpp"

namespace wirespool {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view plan_ending = ".capture.json";

void read_name(SpoolEntry& entry) {
  const auto name = format::parse_file_name(fs::path(entry.path).filename().string());
  if (!name) return;
  entry.named = true;
  entry.stem = name->stem;
  entry.writer = name->writer;
  entry.sequence = name->sequence;
  entry.name_time = name->first;
}

void read_index(SpoolEntry& entry, std::vector<std::string>& notices) {
  const auto header = spool::load_index_header(entry.path, entry.file_bytes);
  if (!header) {
    if (!header.error().empty()) notices.push_back("an index is not used: " + header.error());
    return;
  }
  entry.index = header->level == format::IndexLevel::flow ? SpoolEntry::Index::flow : SpoolEntry::Index::time;
  entry.ordered = header->ordered;
  entry.capture_mark = header->capture_mark;
  entry.packets = header->packets;
  entry.bytes = header->bytes;
  entry.first = header->first;
  entry.last = header->last;
}

// STEM-<start>.capture.json
std::optional<SpoolCapture> capture_named(const fs::path& path) {
  const auto name = path.filename().string();
  if (!name.ends_with(plan_ending)) return std::nullopt;
  const auto text = std::string_view(name).substr(0, name.size() - plan_ending.size());
  const auto dash = text.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto start = format::parse_compact_time(text.substr(dash + 1));
  if (!start || !format::valid_stem(text.substr(0, dash))) return std::nullopt;
  const std::string stem(text.substr(0, dash));
  const auto ledger = path.parent_path() / format::ledger_file_name(stem, *start);
  std::error_code ignored;
  return SpoolCapture{path.parent_path().string(), stem, *start, path.string(),
                      fs::exists(ledger, ignored) ? ledger.string() : std::string()};
}

auto capture_order(const SpoolCapture& capture) { return std::tie(capture.stem, capture.start, capture.directory); }

// Names come last: a file that was renamed is still in its place by time.
auto file_order(const SpoolEntry& file) {
  const auto first = file.index != SpoolEntry::Index::none ? file.first : file.name_time;
  return std::tuple(first, std::string_view(file.stem), file.writer, file.sequence, std::string_view(file.path));
}

// Looks at places one by one.
class Collector {
 public:
  std::optional<Error> look_at(const std::string& place);

  std::vector<SpoolEntry> files;
  std::vector<SpoolCapture> captures;
  std::vector<std::string> notices;

 private:
  std::optional<Error> look_into(const fs::path& directory);
  void add(const fs::path& path);

  std::set<std::string> known_;
};

std::optional<Error> Collector::look_at(const std::string& place) {
  std::error_code error;
  const auto status = fs::status(place, error);
  if (error) return Error{place, error.message(), "name directories with SpoolFiles, or capture files"};
  if (fs::is_directory(status)) return look_into(place);
  if (!fs::is_regular_file(status)) return Error{place, "it is neither a file nor a directory", ""};
  add(place);
  return std::nullopt;
}

std::optional<Error> Collector::look_into(const fs::path& directory) {
  std::error_code error;
  std::size_t others = 0;
  auto entry = fs::directory_iterator(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (format::parse_file_name(name)) {
      add(entry->path());
    } else if (auto capture = capture_named(entry->path())) {
      captures.push_back(std::move(*capture));
    } else if (!name.starts_with('.') && (name.ends_with(".pcap") || name.ends_with(".pcapng"))) {
      ++others;
    }
  }
  if (error) return Error{directory.string(), error.message(), ""};
  if (others > 0) {
    notices.push_back(directory.string() + ": " + std::to_string(others) +
                      " capture files have no name of wirespool's and were left out: name them to have them read");
  }
  return std::nullopt;
}

void Collector::add(const fs::path& path) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  const auto canonical = fs::canonical(path, error);
  if (error || !known_.insert(canonical.string()).second) return;  // removed since it was listed, or there already
  SpoolEntry entry;
  entry.path = path.string();
  entry.directory = path.has_parent_path() ? path.parent_path().string() : ".";
  entry.file_bytes = bytes;
  read_name(entry);
  read_index(entry, notices);
  files.push_back(std::move(entry));
}

}  // namespace

std::expected<Spool, Error> Spool::open(const std::vector<std::string>& places) {
  Collector collector;
  for (const auto& place : places) {
    if (auto error = collector.look_at(place)) return std::unexpected(std::move(*error));
  }
  if (collector.files.empty() && !places.empty()) {
    collector.notices.push_back(places.front() + (places.size() > 1 ? " and the others hold" : " holds") +
                                " no sealed file: a running capture seals one when it rotates or ends");
  }
  Spool spool;
  spool.files_ = std::move(collector.files);
  spool.captures_ = std::move(collector.captures);
  spool.notices_ = std::move(collector.notices);
  std::ranges::sort(spool.files_, {}, file_order);
  std::ranges::sort(spool.captures_, {}, capture_order);
  const auto same = std::ranges::unique(spool.captures_, {}, capture_order);
  spool.captures_.erase(same.begin(), same.end());
  return spool;
}

const SpoolCapture* Spool::capture_of(const SpoolEntry& file) const {
  const SpoolCapture* best = nullptr;
  for (const auto& capture : captures_) {
    if (!file.named || capture.directory != file.directory || capture.stem != file.stem) continue;
    const bool fits = file.capture_mark != 0 ? file.capture_mark == format::capture_mark(capture.start)
                                             : capture.start <= file.name_time;
    if (fits && (best == nullptr || capture.start > best->start)) best = &capture;
  }
  return best;
}

}  // namespace wirespool

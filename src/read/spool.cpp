// SPDX-License-Identifier: BSD-3-Clause
#include "wirespool/spool.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <tuple>

#include "format/file_name.hpp"
#include "format/index_file.hpp"
#include "read/index_store.hpp"
#include "storage/read_file.hpp"

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

void read_index(SpoolEntry& entry, const storage::ReadFile& file, std::vector<std::string>& notices) {
  const auto found = read::load_index_header(file);
  if (!found) {
    if (!found.error().empty())
      notices.push_back("an index is not used: " + found.error() + ": `wirespool index` makes a new one");
    return;
  }
  const auto* header = &found->header;
  entry.index_untouched = found->untouched;
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

// Whether people would take it for a capture file, by its name: x.cap, x.PCAP.gz, x.pcap12 (tcpdump -C).
bool looks_like_a_capture(std::string name) {
  constexpr std::array packed = {".gz", ".zst", ".lz4", ".xz", ".bz2"};
  constexpr std::array endings = {".pcap", ".pcapng", ".cap", ".ntar", ".dmp"};
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto ends = [&name](const char* ending) { return name.ends_with(ending); };
  if (const auto* ending = std::ranges::find_if(packed, ends); ending != packed.end())
    name.resize(name.size() - std::string_view(*ending).size());
  while (!name.empty() && std::isdigit(static_cast<unsigned char>(name.back())) != 0) name.pop_back();
  return !name.starts_with('.') && std::ranges::any_of(endings, ends);
}

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
  bool is_new(const fs::path& path, const storage::FileIdentity& identity);

  std::map<std::pair<std::uint64_t, std::uint64_t>, fs::path> known_;  // by device and inode
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
    } else if (looks_like_a_capture(name)) {
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

// A file has one identity, however many names lead to it. That the same name was given twice is not worth a word.
bool Collector::is_new(const fs::path& path, const storage::FileIdentity& identity) {
  const auto name = fs::absolute(path).lexically_normal();
  const auto [known, added] = known_.try_emplace({identity.device, identity.inode}, name);
  if (!added && known->second != name)
    notices.push_back(path.string() + ": it is the same file as " + known->second.string() + ": read once");
  return added;
}

void Collector::add(const fs::path& path) {
  SpoolEntry entry;
  entry.path = path.string();
  entry.directory = path.has_parent_path() ? path.parent_path().string() : ".";
  read_name(entry);
  const auto file = storage::ReadFile::open(entry.path);
  if (file) {
    if (!is_new(path, file->identity())) return;
    entry.file_bytes = file->size();
    read_index(entry, *file, notices);
  } else {
    // Removed since it was listed: no longer of the spool. Else whoever wants its packets is told that there are none.
    std::error_code error;
    if (!fs::exists(fs::symlink_status(path, error))) return;
    notices.push_back(path.string() + (file.error().code == ENOENT ? ": it is a link that leads to nothing"
                                                                   : ": it cannot be read: " + file.error().message()));
  }
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

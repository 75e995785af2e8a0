// SPDX-License-Identifier: BSD-3-Clause
#include "wirespool/spool.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <tuple>

#include "format/file_name.hpp"
#include "format/index_file.hpp"
#include "read/archived_files.hpp"
#include "read/index_store.hpp"
#include "read/live_captures.hpp"
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
  entry.clock_source = header->clock.source;
  entry.clock_discipline = header->clock.discipline;
  entry.clock_error_ns = header->clock.error_ns;
}

// STEM-<start>.capture.json
std::optional<SpoolCapture> capture_named(const fs::path& path) {
  const auto name = path.filename().string();
  if (!name.ends_with(plan_ending)) return std::nullopt;
  const auto capture = format::parse_capture_name(std::string_view(name).substr(0, name.size() - plan_ending.size()));
  if (!capture) return std::nullopt;
  const auto ledger = path.parent_path() / format::ledger_file_name(capture->stem, capture->start);
  std::error_code ignored;
  return SpoolCapture{path.parent_path().string(), capture->stem, capture->start, path.string(),
                      fs::exists(ledger, ignored) ? ledger.string() : std::string()};
}

auto capture_order(const SpoolCapture& capture) { return std::tie(capture.stem, capture.start, capture.directory); }

// Whether its name is that of a capture file: x.cap, x.PCAP.gz, x.pcap12 (tcpdump -C).
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

// Names come last, so that a renamed file keeps its place in time.
auto file_order(const SpoolEntry& file) {
  const auto first = file.index != SpoolEntry::Index::none ? file.first : file.name_time;
  return std::tuple(first, std::string_view(file.stem), file.writer, file.sequence, std::string_view(file.path));
}

}  // namespace

// Looks at the places of a Spool one by one, and keeps what the Spool already knows.
class Spool::Search {
 public:
  explicit Search(const Spool& before);
  std::expected<Spool, Error> result(Unlisted unlisted);

 private:
  std::optional<Error> look_at(Place& place);
  std::optional<Error> look_into(const fs::path& directory);
  bool open_files_wanted() const { return now_.open_files_ == OpenFiles::included; }
  void keep(const Place& place, Error why);
  void add_open_files(const read::LiveCapture& capture);
  void read_archives(SpoolCapture& capture);
  void look_into_archive(const std::string& archive, const SpoolCapture& capture);
  std::set<std::string> names_at(const std::string& directory) const;
  void add(const fs::path& path, const std::string& home = {});
  void add_readable(SpoolEntry entry, const storage::ReadFile& file);
  const SpoolEntry* known(const std::string& path, const Seen& seen) const;
  bool is_new(const fs::path& path, const storage::FileIdentity& identity);
  void put_in_order();

  const Spool& before_;
  std::map<std::string_view, const SpoolEntry*> entries_before_;  // by path
  Spool now_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, fs::path> names_;  // by device and inode
};

Spool::Search::Search(const Spool& before) : before_(before) {
  now_.places_ = before.places_;
  now_.archives_ = before.archives_;
  now_.open_files_ = before.open_files_;
  for (const auto& entry : before.files_) entries_before_.emplace(entry.path, &entry);
}

std::expected<Spool, Error> Spool::Search::result(Unlisted unlisted) {
  for (auto& place : now_.places_) {
    auto error = look_at(place);
    if (error && unlisted == Unlisted::refused) return std::unexpected(std::move(*error));
    if (error) keep(place, std::move(*error));
  }
  if (now_.files_.empty() && !now_.places_.empty()) {
    now_.notices_.push_back(now_.places_.front().path + (now_.places_.size() > 1 ? " and the others hold" : " holds") +
                            " no sealed file: a running capture seals one when it rotates or ends");
  }
  put_in_order();
  return std::move(now_);
}

// What was known of it takes the place of what was found until it could not be listed any further.
void Spool::Search::keep(const Place& place, Error why) {
  const auto is_there = [&place](const auto& found) { return found.directory == place.path; };
  std::erase_if(now_.files_, is_there);
  std::ranges::copy_if(before_.files_, std::back_inserter(now_.files_), is_there);
  std::ranges::copy_if(before_.captures_, std::back_inserter(now_.captures_), is_there);
  for (const auto& entry : now_.files_)
    if (const auto seen = before_.seen_.find(entry.path); is_there(entry) && seen != before_.seen_.end())
      now_.seen_.insert(*seen);
  now_.problems_.push_back(std::move(why));
}

void Spool::Search::put_in_order() {
  std::ranges::sort(now_.files_, {}, file_order);
  std::ranges::sort(now_.captures_, {}, capture_order);
  const auto same = std::ranges::unique(now_.captures_, {}, capture_order);
  now_.captures_.erase(same.begin(), same.end());
}

std::optional<Error> Spool::Search::look_at(Place& place) {
  std::error_code error;
  const auto status = fs::status(place.path, error);
  if (place.file && status.type() == fs::file_type::not_found) return std::nullopt;
  if (error) return Error{place.path, error.message(), "name directories with SpoolFiles, or capture files"};
  if (fs::is_directory(status)) return look_into(place.path);
  if (!fs::is_regular_file(status)) return Error{place.path, "it is neither a file nor a directory", ""};
  place.file = true;
  add(place.path);
  return std::nullopt;
}

std::optional<Error> Spool::Search::look_into(const fs::path& directory) {
  std::error_code error;
  std::size_t others = 0;
  std::vector<SpoolCapture> captures;
  // What is open now is sealed by the time the directory has been listed, or still open.
  std::vector<read::LiveCapture> running;
  if (open_files_wanted()) running = read::LiveCapture::in(directory.string());
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
    now_.notices_.push_back(
        directory.string() + ": " + std::to_string(others) +
        " capture files have no name of wirespool's and were left out: name them to have them read");
  }
  for (const auto& capture : running) add_open_files(capture);
  for (auto& capture : captures) {
    read_archives(capture);
    now_.captures_.push_back(std::move(capture));
  }
  return std::nullopt;
}

void Spool::Search::add_open_files(const read::LiveCapture& capture) {
  for (const auto& told : capture.told().files) {
    SpoolEntry entry;
    entry.directory = capture.directory();
    entry.path = read::path_of_open_file(entry.directory, (fs::path(entry.directory) / told.name).string(), told.inode);
    entry.open = true;
    entry.inode = told.inode;
    entry.stem = capture.stem();
    entry.writer = told.writer;
    entry.file_bytes = told.stored_bytes;
    entry.packets = told.stored_packets;
    const auto file = storage::ReadFile::open(entry.path);
    if (file && is_new(entry.path, file->identity())) now_.files_.push_back(std::move(entry));
  }
}

// Only after the directory was listed: a file is in an archive that is named before it goes from here, so that one of
// both looks finds it.
void Spool::Search::read_archives(SpoolCapture& capture) {
  auto archives = read::archives_of(capture.directory, capture.stem, capture.start);
  if (!archives) {
    now_.problems_.push_back({capture.directory, archives.error(), "name the archive's directory as well"});
    return;
  }
  capture.archives = std::move(*archives);
  if (now_.archives_ == Archives::named) return;
  for (const auto& archive : capture.archives) look_into_archive(archive, capture);
}

void Spool::Search::look_into_archive(const std::string& archive, const SpoolCapture& capture) {
  const auto capture_name = format::capture_name(capture.stem, capture.start);
  if (!read::is_place_of(archive, capture.stem, capture.start)) {
    now_.problems_.push_back({archive, "it is no directory of an archive for " + capture_name,
                              "see to " + format::archived_file_name(capture.stem, capture.start)});
    return;
  }
  const auto still_here = names_at(capture.directory);  // also there: after a crash, or just now
  std::error_code error;
  auto entry = fs::directory_iterator(archive, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto text = entry->path().filename().string();
    const auto name = format::parse_file_name(text);
    if (name && name->stem == capture.stem && !still_here.contains(text)) add(entry->path(), capture.directory);
  }
  if (error)
    now_.problems_.push_back(
        {archive, error.message() + ": files of " + capture_name + " were moved there from " + capture.directory,
         "mount the archive, or put it back"});
}

// Of the files that were found there, whatever the directory was called.
std::set<std::string> Spool::Search::names_at(const std::string& directory) const {
  std::set<std::string> names;
  std::map<std::string, bool> is_it;
  for (const auto& file : now_.files_) {
    const auto [known, added] = is_it.try_emplace(file.directory);
    std::error_code unknown;
    if (added) known->second = fs::equivalent(file.directory, directory, unknown);
    if (known->second && !file.archived) names.insert(fs::path(file.path).filename().string());
  }
  return names;
}

// A file has one identity, however many names lead to it. The same name given twice is not reported.
bool Spool::Search::is_new(const fs::path& path, const storage::FileIdentity& identity) {
  const auto name = fs::absolute(path).lexically_normal();
  const auto [known, added] = names_.try_emplace({identity.device, identity.inode}, name);
  if (!added && known->second != name)
    now_.notices_.push_back(path.string() + ": it is the same file as " + known->second.string() + ": read once");
  return added;
}

// `home`: where it was before it was moved into an archive; empty: it is where it was.
void Spool::Search::add(const fs::path& path, const std::string& home) {
  SpoolEntry entry;
  entry.path = path.string();
  entry.directory = !home.empty() ? home : path.has_parent_path() ? path.parent_path().string() : ".";
  entry.archived = !home.empty();
  read_name(entry);
  const auto file = storage::ReadFile::open(entry.path);
  if (file) {
    if (is_new(path, file->identity())) add_readable(std::move(entry), *file);
    return;
  }
  // Removed since it was listed: it no longer belongs to the spool. Otherwise those who want its packets are told.
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return;
  now_.notices_.push_back(path.string() + (file.error().code == ENOENT
                                               ? ": it is a link that leads to nothing"
                                               : ": it cannot be read: " + file.error().message()));
  now_.files_.push_back(std::move(entry));
}

void Spool::Search::add_readable(SpoolEntry entry, const storage::ReadFile& file) {
  const auto times = file.times().value_or(storage::FileTimes{});
  Seen seen{file.identity().device, file.identity().inode, file.size(), times.modified_ns, times.changed_ns, {}};
  if (const auto* same = known(entry.path, seen)) {
    entry = *same;
    seen.notices = before_.seen_.at(entry.path).notices;
  } else {
    entry.file_bytes = file.size();
    read_index(entry, file, seen.notices);
  }
  now_.notices_.insert(now_.notices_.end(), seen.notices.begin(), seen.notices.end());
  now_.seen_.emplace(entry.path, std::move(seen));
  now_.files_.push_back(std::move(entry));
}

// A file that had no index may have one by now.
const SpoolEntry* Spool::Search::known(const std::string& path, const Seen& seen) const {
  const auto entry = entries_before_.find(path);
  const auto before = before_.seen_.find(path);
  if (entry == entries_before_.end() || before == before_.seen_.end()) return nullptr;
  if (entry->second->index == SpoolEntry::Index::none) return nullptr;
  const auto stamp = [](const Seen& of) {
    return std::tuple(of.device, of.inode, of.bytes, of.modified_ns, of.changed_ns);
  };
  return stamp(before->second) == stamp(seen) ? entry->second : nullptr;
}

std::expected<Spool, Error> Spool::open(const std::vector<std::string>& places, Archives archives,
                                        OpenFiles open_files) {
  Spool nothing;
  nothing.archives_ = archives;
  nothing.open_files_ = open_files;
  for (const auto& place : places) nothing.places_.push_back({place, false});
  return nothing.look_again(Unlisted::refused);
}

std::expected<Spool, Error> Spool::look_again(Unlisted unlisted) const { return Search(*this).result(unlisted); }

std::expected<SpoolChanges, Error> Spool::refresh(Unlisted unlisted) {
  auto now = look_again(unlisted);
  if (!now) return std::unexpected(std::move(now.error()));
  auto changes = now->changes_since(*this);
  *this = std::move(*now);
  return changes;
}

// By content rather than by name; a file that could not be opened has only its name. One that was moved into an archive
// has another content there by these marks, but its name and length still.
SpoolChanges Spool::changes_since(const Spool& before) const {
  using Content = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t>;
  using Home = std::tuple<std::string, std::string, std::uint64_t, bool>;
  struct Known {
    std::set<Content> contents;
    std::set<std::string_view> paths;
    std::set<Home> homes;
  };
  // Where it is or was, its length, whether it was moved; empty if none was, as usual.
  const bool any_moved = std::ranges::any_of(files_, &SpoolEntry::archived);
  const auto home = [](const SpoolEntry& entry, bool archived) {
    return Home(entry.directory, fs::path(entry.path).filename().string(), entry.file_bytes, archived);
  };
  const auto content = [](const Seen& seen) { return Content(seen.device, seen.inode, seen.bytes, seen.modified_ns); };
  const auto known_to = [&](const Spool& spool) {
    Known known;
    for (const auto& [path, seen] : spool.seen_) known.contents.insert(content(seen));
    for (const auto& entry : spool.files_) {
      known.paths.insert(entry.path);
      if (any_moved && entry.named) known.homes.insert(home(entry, entry.archived));
    }
    return known;
  };
  const auto is_known = [&](const Spool& of, const SpoolEntry& entry, const Known& known) {
    if (any_moved && known.homes.contains(home(entry, !entry.archived))) return true;
    const auto seen = of.seen_.find(entry.path);
    return seen != of.seen_.end() ? known.contents.contains(content(seen->second)) : known.paths.contains(entry.path);
  };
  SpoolChanges changes;
  for (const auto known = known_to(before); const auto& entry : files_) {
    if (!entry.open && !is_known(*this, entry, known)) changes.added.push_back(entry);
  }
  for (const auto known = known_to(*this); const auto& entry : before.files_) {
    if (!entry.open && !is_known(before, entry, known)) changes.removed.push_back(entry.path);
  }
  return changes;
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

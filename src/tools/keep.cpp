// SPDX-License-Identifier: BSD-3-Clause
#include "tools/keep.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "format/file_name.hpp"
#include "format/printable.hpp"
#include "storage/named_file.hpp"
#include "storage/read_file.hpp"
#include "tools/capture_group.hpp"
#include "wirespool/merge.hpp"
#include "wirespool/spool.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::tools {

namespace fs = std::filesystem;
using Outcome = PinnedFile::Outcome;

namespace {

constexpr std::uint64_t largest_pin = 64 << 10;

// "root@probe-a".
std::string user_and_machine() {
  std::array<char, 256> machine{};
  if (::gethostname(machine.data(), machine.size() - 1) != 0) machine[0] = '?';
  const auto user = ::geteuid();
  std::array<char, 4096> names{};
  passwd entry{};
  passwd* found = nullptr;
  const bool known = ::getpwuid_r(user, &entry, names.data(), names.size(), &found) == 0 && found != nullptr;
  return fmt::format("{}@{}", known ? std::string(entry.pw_name) : fmt::format("{}", user), machine.data());
}

std::expected<Query, Error> query_of(const KeepOptions& options) {
  Query query;
  if (options.from) query.from = *options.from;
  if (options.to) query.to = *options.to;
  if (query.from >= query.to)
    return std::unexpected(Error{"--to", "it is not later than --from", "give a later time, or leave it out"});
  if (options.filter.empty()) return query;
  auto filter = Filter::compile(options.filter);
  if (!filter) return std::unexpected(Error{"--filter", filter.error().why, filter.error().what_to_do});
  query.filter = std::move(*filter);
  return query;
}

// Whether, by its index or its name, the file may hold a packet of that time.
bool may_overlap(const SpoolEntry& entry, const Query& query) {
  if (entry.index == SpoolEntry::Index::none) return entry.name_time < query.to;
  return entry.first < query.to && entry.last >= query.from;
}

// Stops at the first packet. A file that cannot be read may hold one.
bool holds_any(const SpoolEntry& entry, const Query& query, KeepReport& report) {
  if (!may_overlap(entry, query)) return false;
  Merge merge(std::vector{entry}, query);
  if (merge.next() != nullptr) return true;
  if (merge.problems().empty()) return false;
  report.notices.push_back(merge.problems().front().message() + ": it is pinned, for it may hold such packets");
  return true;
}

std::optional<format::Pin> read_pin(const std::string& path) {
  const auto text = storage::read_small_file(path, largest_pin);
  if (!text) return std::nullopt;
  auto pin = format::decode_pin(*text);
  return pin ? std::optional(std::move(*pin)) : std::nullopt;
}

// One directory held open: an output directory, or an archive's.
class Pinner {
 public:
  Pinner(const storage::Directory& directory, bool archive, KeepReport& report)
      : directory_(directory), archive_(archive), report_(report) {}

  void pin(const std::vector<const SpoolEntry*>& files, const Query& query, const format::Pin& pin,
           const std::atomic<bool>* stop);
  void list();
  void release(const std::optional<Query>& within, const std::string& only);

 private:
  struct Found {
    std::string name;
    storage::FileIdentity identity;
  };
  // Nobody removes files of an archive, and network file systems may have no such lock.
  std::expected<storage::FileDescriptor, storage::IoError> take_turn() const {
    if (archive_) return storage::FileDescriptor();
    return directory_.take_turn(storage::Directory::Turn::wait);
  }
  void pin_one(const Found& file, const format::Pin& pin);
  std::vector<std::string> pinned() const;  // pcaps
  bool in_time(const std::string& name, const Query& query) const;
  void add(const std::string& name, Outcome outcome, std::optional<format::Pin> pin = {}) {
    report_.files.push_back({directory_.path_of(name), outcome, std::move(pin)});
  }

  const storage::Directory& directory_;
  bool archive_;
  KeepReport& report_;
};

// Looks into the files first, which may take long, and only then takes its turn.
void Pinner::pin(const std::vector<const SpoolEntry*>& files, const Query& query, const format::Pin& pin,
                 const std::atomic<bool>* stop) {
  std::vector<Found> found;
  for (const auto* entry : files) {
    if (stop != nullptr && *stop) {
      report_.problems.push_back(directory_.path() + ": it was stopped before anything there was pinned");
      return;
    }
    const auto name = fs::path(entry->path).filename().string();
    const auto there = storage::look_at(directory_, name);
    if (!there || !there->regular) continue;
    ++report_.looked_at;
    if (holds_any(*entry, query, report_)) found.push_back({name, there->identity});
  }
  const auto turn = take_turn();
  if (!turn) {
    report_.problems.push_back(turn.error().message());
    return;
  }
  for (const auto& file : found) pin_one(file, pin);
}

void Pinner::pin_one(const Found& file, const format::Pin& pin) {
  const auto there = storage::look_at(directory_, file.name);
  if (!there || there->identity != file.identity) {
    report_.problems.push_back(directory_.path_of(file.name) + ": it was removed before it could be pinned");
    return add(file.name, Outcome::gone);
  }
  const auto text = format::encode_pin(pin);
  const auto made = storage::make_file(directory_, format::keep_file_name(file.name), std::as_bytes(std::span(text)));
  if (made) return add(file.name, Outcome::pinned, pin);
  if (made.error().code == EEXIST)
    return add(file.name, Outcome::was_pinned, read_pin(directory_.path_of(format::keep_file_name(file.name))));
  report_.problems.push_back(made.error().message());
}

std::vector<std::string> Pinner::pinned() const {
  std::vector<std::string> pcaps;
  const std::string ending = format::keep_file_name("");
  std::error_code unreadable;
  fs::directory_iterator at(directory_.path(), unreadable);
  for (; !unreadable && at != fs::directory_iterator(); at.increment(unreadable)) {
    auto name = at->path().filename().string();
    if (!name.ends_with(ending)) continue;
    name.resize(name.size() - ending.size());
    if (format::parse_file_name(name)) pcaps.push_back(std::move(name));
  }
  if (unreadable) report_.problems.push_back(directory_.path() + ": " + unreadable.message());
  std::ranges::sort(pcaps);
  return pcaps;
}

void Pinner::list() {
  for (const auto& name : pinned()) {
    const bool there = storage::look_at(directory_, name).has_value();
    add(name, there ? Outcome::listed : Outcome::gone, read_pin(directory_.path_of(format::keep_file_name(name))));
  }
}

bool Pinner::in_time(const std::string& name, const Query& query) const {
  const auto spool = Spool::open({directory_.path_of(name)});
  return !spool || spool->files().empty() || may_overlap(spool->files().front(), query);
}

void Pinner::release(const std::optional<Query>& within, const std::string& only) {
  const auto turn = take_turn();
  if (!turn) {
    report_.problems.push_back(turn.error().message());
    return;
  }
  for (const auto& name : pinned()) {
    if (!only.empty() && name != only) continue;
    if (within && !in_time(name, *within)) continue;
    const auto keep = format::keep_file_name(name);
    auto pin = read_pin(directory_.path_of(keep));
    const auto there = storage::look_at(directory_, keep);
    const auto gone =
        there ? storage::remove_file(directory_, keep, there->identity) : std::expected<void, storage::IoError>{};
    if (gone)
      add(name, Outcome::released, std::move(pin));
    else
      report_.problems.push_back(directory_.path_of(keep) + ": it is no file, and stays: remove it by hand");
  }
  if (auto synced = directory_.sync(); !synced) report_.problems.push_back(synced.error().message());
}

std::optional<Error> wrong(const KeepOptions& options) {
  const bool range = options.from || options.to;
  if (options.list && options.release) return Error{"--list", "--release was asked for as well", "give one of the two"};
  if (options.list && (range || !options.filter.empty()))
    return Error{"--list", "it lists all pins", "leave --from, --to and --filter out"};
  if ((options.list || options.release) && !options.reason.empty())
    return Error{"--reason", "only a new pin has one", "leave it out"};
  if (options.release && !options.filter.empty())
    return Error{"--filter", "pins are released by time", "leave it out, or give --from and --to"};
  if (!options.only.empty() && !options.release)
    return Error{"file", "one file is released by its name, and pinned by the time of its packets",
                 "give --from and --to"};
  if (!options.list && !options.release && !range && options.filter.empty())
    return Error{"keep", "it would pin every file", "say which with --from and --to, and with --filter"};
  return std::nullopt;
}

// nullopt: it is not there, and that is told.
std::optional<storage::Directory> open_archive(const std::string& path, KeepReport& report) {
  auto directory = storage::Directory::open(path);
  if (directory) return std::move(*directory);
  report.problems.push_back(directory.error().message() + ": files were moved there: mount the archive");
  return std::nullopt;
}

// Each directory to which files were moved from that one.
std::set<std::string> archives_of(const std::string& directory, KeepReport& report) {
  std::set<std::string> archives;
  const auto spool = Spool::open({directory}, Spool::Archives::named);
  if (!spool) return archives;
  for (const auto& problem : spool->problems()) report.problems.push_back(problem.message());
  for (const auto& capture : spool->captures()) archives.insert(capture.archives.begin(), capture.archives.end());
  return archives;
}

std::expected<void, Error> pin_all(const KeepOptions& options, const Query& query, KeepReport& report) {
  const format::Pin pin{time_now(),     options.who.empty() ? user_and_machine() : options.who,
                        options.reason, options.from,
                        options.to,     options.filter};
  for (const auto& path : options.directories) {
    const auto spool = Spool::open({path});
    if (!spool) return std::unexpected(spool.error());
    for (const auto& problem : spool->problems()) report.problems.push_back(problem.message());
    const auto directory = storage::Directory::open(path);
    if (!directory) return std::unexpected(storage::as_error(directory.error(), "name output directories"));
    std::map<std::string, std::vector<const SpoolEntry*>> archived;  // by directory
    std::vector<const SpoolEntry*> files;
    for (const auto& entry : spool->files())
      if (entry.named) (entry.archived ? archived[fs::path(entry.path).parent_path()] : files).push_back(&entry);
    Pinner(*directory, false, report).pin(files, query, pin, options.stop);
    for (const auto& [archive, moved] : archived)
      if (const auto opened = open_archive(archive, report))
        Pinner(*opened, true, report).pin(moved, query, pin, options.stop);
    for (const auto& capture : spool->captures())
      if (has_open_files(path, capture.stem, capture.start))
        report.notices.push_back(path + ": capture " + capture.stem +
                                 " is running: what is in its open files is pinned once they are sealed and this is "
                                 "run again");
  }
  return {};
}

}  // namespace

std::expected<KeepReport, Error> keep(const KeepOptions& options) {
  if (auto error = wrong(options)) return std::unexpected(std::move(*error));
  const auto query = query_of(options);
  if (!query) return std::unexpected(query.error());
  KeepReport report;
  if (!options.list && !options.release) {
    if (auto done = pin_all(options, *query, report); !done) return std::unexpected(done.error());
    return report;
  }
  for (const auto& path : options.directories) {
    const auto directory = storage::Directory::open(path);
    if (!directory) return std::unexpected(storage::as_error(directory.error(), "name output directories"));
    const auto within = options.from || options.to ? std::optional(*query) : std::nullopt;
    const auto list_or_release = [&](Pinner pinner) {
      options.list ? pinner.list() : pinner.release(within, options.only);
    };
    list_or_release(Pinner(*directory, false, report));
    for (const auto& archive : archives_of(path, report))
      if (const auto opened = open_archive(archive, report)) list_or_release(Pinner(*opened, true, report));
  }
  return report;
}

std::expected<std::vector<std::string>, Error> places_of_pins(const std::vector<std::string>& directories) {
  const auto spool = Spool::open(directories, Spool::Archives::named);
  if (!spool) return std::unexpected(spool.error());
  auto places = directories;
  for (const auto& capture : spool->captures())
    places.insert(places.end(), capture.archives.begin(), capture.archives.end());
  return places;
}

namespace {

const char* word(Outcome outcome) {
  switch (outcome) {
    case Outcome::pinned:
      return "pinned";
    case Outcome::was_pinned:
      return "pinned already";
    case Outcome::released:
      return "released";
    case Outcome::listed:
      return "pinned";
    case Outcome::gone:
      return "gone";
  }
  return "gone";
}

std::string why(const std::optional<format::Pin>& pin) {
  if (!pin) return " (not by wirespool keep)";
  return fmt::format(" by {} on {}{}", format::printable(pin->who), rfc3339(pin->when),
                     pin->reason.empty() ? "" : ": " + format::printable(pin->reason));
}

}  // namespace

std::string render_table(const KeepReport& report) {
  std::string text;
  std::size_t pinned = 0;
  for (const auto& file : report.files) {
    pinned += file.outcome == Outcome::pinned || file.outcome == Outcome::was_pinned || file.outcome == Outcome::listed;
    text += fmt::format("{}: {}{}\n", format::printable(file.path), word(file.outcome),
                        file.outcome == Outcome::gone ? "" : why(file.pin));
  }
  for (const auto& problem : report.problems) text += format::printable(problem) + "\n";
  return text + fmt::format("{} files pinned\n", pinned);
}

std::string render_json(const KeepReport& report) {
  using Json = nlohmann::ordered_json;
  Json json = {{"files", Json::array()}, {"notices", report.notices}, {"problems", report.problems}};
  for (const auto& file : report.files)
    json["files"].push_back({{"path", file.path},
                             {"outcome", word(file.outcome)},
                             {"pin", file.pin ? Json::parse(format::encode_pin(*file.pin)) : Json(nullptr)}});
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace wirespool::tools

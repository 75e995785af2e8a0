// SPDX-License-Identifier: BSD-3-Clause
#include "keep/mover.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <new>
#include <optional>

#include "format/crc32c.hpp"
#include "format/file_name.hpp"
#include "format/retention_files.hpp"
#include "storage/named_file.hpp"
#include "storage/read_file.hpp"
#include "storage/side_file.hpp"
#include "storage/small_file.hpp"

namespace wirespool::keep {
namespace {

using Why = NotMoved::Why;

constexpr auto moving_ending = ".moving";
constexpr auto marker = ".wirespool-archive";
constexpr std::size_t page_bytes = 4096;
constexpr std::size_t longest_place = 200;  // a name has 255 bytes at most (NAME_MAX)
constexpr std::uint64_t largest_archived_file = 64 << 10;

std::unexpected<NotMoved> not_moved(Why why, storage::IoError error) {
  return std::unexpected(NotMoved{why, std::move(error)});
}

std::string moving_name(const std::string& name) { return "." + name + moving_ending; }

// Made if it is not there yet.
std::expected<storage::Directory, storage::IoError> open_place(const std::string& archive, const ArchivePlace& place) {
  auto top = open_archive(archive);
  if (!top) return top;
  auto of_capture = top->make(place.capture);
  if (!of_capture) return of_capture;
  return of_capture->make(place.drive);
}

// Adds the place to those that the capture's archived.json in `directory` names.
std::expected<void, storage::IoError> name_place(const storage::Directory& directory, const ShelfFile& file,
                                                 const std::string& place) {
  const auto name = format::archived_file_name(file.stem, file.capture);
  format::Archived archived;
  const auto text = storage::read_small_file(directory.path_of(name), largest_archived_file);
  if (text) {
    auto before = format::decode_archived(*text);
    if (!before) return storage::refused("reading", directory.path_of(name), before.error(), EBADMSG);
    archived = std::move(*before);
  } else if (text.error().code != ENOENT) {
    return std::unexpected(text.error());
  }
  if (std::ranges::find(archived.directories, place) != archived.directories.end()) return {};
  archived.directories.push_back(place);
  const auto encoded = format::encode_archived(archived);
  return storage::write_small_file(directory, name, std::as_bytes(std::span(encoded)));
}

// What a crash left half copied. Nobody else moves files there: one capture at a time has a directory's files of a
// name.
void sweep(const storage::Directory& place) {
  std::error_code unreadable;
  std::filesystem::directory_iterator at(place.path(), unreadable);
  for (; !unreadable && at != std::filesystem::directory_iterator(); at.increment(unreadable)) {
    const auto name = at->path().filename().string();
    const auto there = storage::look_at(place, name);
    if (there && name.starts_with('.') && name.ends_with(moving_ending))
      (void)storage::remove_file(place, name, there->identity);
  }
}

// Best effort: what is left in the archive beside the original is not read.
void take_back(const storage::Directory& place, const std::vector<std::string>& names) {
  for (const auto& name : names)
    if (const auto there = storage::look_at(place, name)) (void)storage::remove_file(place, name, there->identity);
  if (!names.empty()) (void)place.sync();
}

}  // namespace

std::expected<void, storage::IoError> claim_archive(const std::string& directory) {
  const auto opened = storage::Directory::open(directory);
  if (!opened) return std::unexpected(opened.error());
  if (!storage::put_marker(*opened, marker)) return storage::refused("marking", directory, "open");
  return opened->sync();
}

std::expected<storage::Directory, storage::IoError> open_archive(const std::string& directory) {
  auto opened = storage::Directory::open(directory);
  if (opened && !storage::is_there(*opened, marker))
    return storage::refused("opening", directory, "it is not mounted, or its .wirespool-archive is gone", ENOENT);
  return opened;
}

ArchivePlace place_of(const std::string& directory, const std::string& stem, Timestamp start) {
  std::string drive = directory.substr(std::min(directory.size(), directory.find_first_not_of('/')));
  std::ranges::replace(drive, '/', '-');
  if (drive.empty()) drive = "root";
  if (drive.size() > longest_place) drive.erase(0, drive.size() - longest_place);
  return {format::capture_name(stem, start), std::move(drive)};
}

Mover::Mover(std::function<bool()> go_on)
    : go_on_(std::move(go_on)), memory_(static_cast<std::byte*>(std::aligned_alloc(page_bytes, piece_bytes))) {
  if (!memory_) throw std::bad_alloc();
}

std::expected<void, NotMoved> Mover::move(Shelf& shelf, const ShelfFile& file, const std::string& archive) {
  const auto& from = shelf.directory();
  const auto home = std::filesystem::absolute(from.path()).lexically_normal().string();
  const auto place = open_place(archive, place_of(home, file.stem, file.capture));
  if (!place) return not_moved(Why::archive, place.error());
  if (swept_.insert(place->path()).second) sweep(*place);
  put_.clear();
  auto done = copy_all(from, file, *place);
  if (done) done = let_go(shelf, file, *place);
  if (!done) take_back(*place, put_);
  return done;
}

// The file first: if another one has its name there, nothing beside that is touched.
Mover::Done Mover::copy_all(const storage::Directory& from, const ShelfFile& file, const storage::Directory& to) {
  const auto there = storage::look_at(from, file.name);
  if (!there || there->identity != file.identity)
    return not_moved(Why::gone, {"moving " + from.path_of(file.name), ENOENT});
  if (auto copied = copy(from, file.name, to); !copied) return copied;
  for (const auto& sidecar : sidecars_of(file.name)) {
    const auto beside = storage::look_at(from, sidecar);
    if (!beside || !beside->regular) continue;
    // One that is there already may be of an earlier try, and its original made anew since.
    if (const auto old = storage::look_at(to, sidecar)) (void)storage::remove_file(to, sidecar, old->identity);
    if (auto copied = copy(from, sidecar, to); !copied) return copied;
  }
  return {};
}

Mover::Done Mover::copy(const storage::Directory& from, const std::string& name, const storage::Directory& to) {
  const auto original = storage::ReadFile::open(from.path_of(name), storage::ReadFile::Mode::direct);
  if (!original) return not_moved(original.error().code == ENOENT ? Why::gone : Why::original, original.error());
  const auto times = original->times();
  if (!times) return not_moved(Why::original, times.error());
  auto copy = storage::SideFile::create(to, moving_name(name));
  if (!copy) return not_moved(Why::archive, copy.error());
  sums_.clear();
  for (std::uint64_t at = 0; at < original->size();) {
    if (!go_on_()) return not_moved(Why::stopped, {});
    const auto got = original->read(at, piece());
    if (!got) return not_moved(Why::original, got.error());
    if (*got != std::min<std::uint64_t>(piece_bytes, original->size() - at))
      return not_moved(Why::original, {"reading " + original->path() + ": it ends early", EIO});
    original->forget(at, *got);
    const auto bytes = piece().first(*got);
    sums_.push_back(format::crc32c(bytes));
    if (auto written = copy->write(at, bytes); !written) return not_moved(Why::archive, written.error());
    if (auto synced = copy->sync_and_forget(); !synced) return not_moved(Why::archive, synced.error());
    at += *got;
  }
  if (auto same = read_back(to, moving_name(name), original->size()); !same) return same;
  const auto now = original->times();
  if (!now || now->modified_ns != times->modified_ns)
    return not_moved(Why::original, {"reading " + original->path() + ": it was changed meanwhile", EBUSY});
  if (auto kept = copy->keep(original->size(), name); !kept) {
    copy->take_back();
    return not_moved(kept.error().code == EEXIST ? Why::taken : Why::archive, kept.error());
  }
  put_.push_back(name);
  if (auto set = storage::set_modified(to, name, times->modified_ns); !set) return not_moved(Why::archive, set.error());
  return {};
}

Mover::Done Mover::read_back(const storage::Directory& to, const std::string& hidden, std::uint64_t bytes) {
  const auto file = storage::ReadFile::open(to.path_of(hidden), storage::ReadFile::Mode::direct);
  if (!file) return not_moved(Why::archive, file.error());
  std::uint64_t at = 0;
  for (const auto sum : sums_) {
    if (!go_on_()) return not_moved(Why::stopped, {});
    const auto got = file->read(at, piece());
    if (!got) return not_moved(Why::archive, got.error());
    file->forget(at, *got);
    const auto wanted = std::min<std::uint64_t>(piece_bytes, bytes - at);
    if (*got != wanted || format::crc32c(piece().first(*got)) != sum)
      return not_moved(Why::archive, {"reading " + file->path() + ": it is not what was written", EIO});
    at += *got;
  }
  return {};
}

// The archive has the file. Waits for its turn here, but for nothing of the archive while it has it: a retention that
// has to make room waits no longer than for a few names.
Mover::Done Mover::let_go(Shelf& shelf, const ShelfFile& file, const storage::Directory& place) {
  const auto& from = shelf.directory();
  const auto turn = from.take_turn(storage::Directory::Turn::wait);
  if (!turn) return not_moved(Why::original, turn.error());
  if (auto named = name_place(from, file, place.path()); !named) return not_moved(Why::original, named.error());
  const auto removed = shelf.remove(file);
  if (!removed && removed.error().code == EBUSY) return not_moved(Why::held, removed.error());
  if (!removed && removed.error().code == ENOENT) return not_moved(Why::gone, removed.error());
  // If only a sidecar could not be removed, it is in nobody's way: the copy is the file now.
  const auto there = storage::look_at(from, file.name);
  if (!removed && there && there->identity == file.identity) return not_moved(Why::original, removed.error());
  (void)from.sync();  // if this fails, a crash may leave both
  return {};
}

}  // namespace wirespool::keep

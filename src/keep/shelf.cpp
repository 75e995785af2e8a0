// SPDX-License-Identifier: BSD-3-Clause
#include "keep/shelf.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "format/file_name.hpp"
#include "storage/small_file.hpp"

namespace wirespool::keep {
namespace {

SealedFacts facts_of(const SpoolEntry& entry) {
  if (entry.index == SpoolEntry::Index::none) return {};
  return {entry.last, entry.packets, entry.bytes};
}

}  // namespace

std::string to_string(Hold hold) {
  constexpr std::array words{"may go", "pinned", "waiting for --on-seal", "of unknown age (no index)",
                             "hard links with other names"};
  return words[static_cast<std::size_t>(hold)];
}

std::expected<std::vector<HiddenFile>, Error> hidden_files(const std::string& directory) {
  std::vector<HiddenFile> files;
  std::error_code unreadable;
  std::filesystem::directory_iterator at(directory, unreadable);
  for (; !unreadable && at != std::filesystem::directory_iterator(); at.increment(unreadable)) {
    auto name = at->path().filename().string();
    if (auto parts = format::parse_hidden_file_name(name)) files.push_back({std::move(name), std::move(*parts)});
  }
  if (unreadable)
    return std::unexpected(Error{directory, unreadable.message(), "see to the drive", Error::Kind::not_ready});
  std::ranges::sort(files, {}, &HiddenFile::name);
  return files;
}

std::array<std::string, 2> sidecars_of(const std::string& pcap) {
  return {format::index_file_name(pcap), format::cut_file_name(pcap)};
}

Shelf::Shelf(const storage::Directory& directory, std::string stem) : directory_(&directory), stem_(std::move(stem)) {}

void Shelf::know(const std::string& name, const SealedFacts& facts) { known_[name] = facts; }

std::expected<std::vector<ShelfFile>, Error> Shelf::look() {
  if (!storage::still_has_its_path(*directory_))
    return std::unexpected(Error{directory_->path(), "its path leads to another directory by now",
                                 "mount or move it back", Error::Kind::not_ready});
  if (spool_) {
    if (auto changes = spool_->refresh(); !changes) return std::unexpected(changes.error());
  } else {
    auto spool = Spool::open({directory_->path()}, Spool::Archives::named);
    if (!spool) return std::unexpected(spool.error());
    spool_ = std::move(*spool);
  }
  std::vector<ShelfFile> files;
  for (const auto& entry : spool_->files())
    if (auto file = shelved(entry)) files.push_back(std::move(*file));
  std::ranges::sort(files, {}, &ShelfFile::name);
  std::erase_if(
      known_, [&](const auto& known) { return !std::ranges::binary_search(files, known.first, {}, &ShelfFile::name); });
  return files;
}

std::optional<ShelfFile> Shelf::shelved(const SpoolEntry& entry) const {
  if (!entry.named || !takes(entry.stem)) return std::nullopt;
  ShelfFile file{.name = std::filesystem::path(entry.path).filename().string(), .stem = entry.stem};
  const auto there = storage::look_at(*directory_, file.name);
  if (!there || !there->regular) return std::nullopt;
  const auto known = known_.find(file.name);
  const auto facts = known == known_.end() ? facts_of(entry) : known->second;
  file.identity = there->identity;
  file.room_bytes = there->bytes;
  for (const auto& sidecar : sidecars_of(file.name))
    if (const auto beside = storage::look_at(*directory_, sidecar)) file.room_bytes += beside->bytes;
  file.packets = facts.packets;
  file.bytes = facts.bytes;
  file.first = entry.index == SpoolEntry::Index::none ? entry.name_time : entry.first;
  file.last = facts.last;
  if (const auto* capture = spool_->capture_of(entry)) file.capture = capture->start;
  file.hold = hold_of(file.name, *there, facts);
  return file;
}

Hold Shelf::hold_of(const std::string& name, const storage::NamedFile& file, const SealedFacts& facts) const {
  if (storage::is_there(*directory_, format::keep_file_name(name))) return Hold::pinned;
  if (storage::is_there(*directory_, format::pending_file_name(name))) return Hold::on_seal;
  if (!file.only_name) return Hold::other_names;
  return facts.last == Timestamp{} ? Hold::age_unknown : Hold::none;
}

std::expected<void, storage::IoError> Shelf::remove(const ShelfFile& file) {
  const auto there = storage::look_at(*directory_, file.name);
  const bool held = there && hold_of(file.name, *there, {file.last, file.packets, file.bytes}) != Hold::none;
  if (held) return storage::refused("removing", directory_->path_of(file.name), "it is held", EBUSY);
  if (auto removed = storage::remove_file(*directory_, file.name, file.identity); !removed) return removed;
  known_.erase(file.name);
  for (const auto& sidecar : sidecars_of(file.name)) {
    const auto beside = storage::look_at(*directory_, sidecar);
    if (!beside || !beside->regular) continue;
    if (auto removed = storage::remove_file(*directory_, sidecar, beside->identity);
        !removed && removed.error().code != ENOENT)
      return removed;
  }
  return {};
}

}  // namespace wirespool::keep

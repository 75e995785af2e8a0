// SPDX-License-Identifier: BSD-3-Clause
#include "keep/removals.hpp"

#include <algorithm>
#include <cerrno>
#include <span>

#include "format/file_name.hpp"
#include "storage/named_file.hpp"
#include "storage/read_file.hpp"
#include "storage/small_file.hpp"

namespace wirespool::keep {
namespace {

constexpr std::uint64_t largest_removed_file = 64 << 10;

bool may_have_hidden_file(const std::string& directory, const std::string& stem, Timestamp start) {
  const auto files = hidden_files(directory);
  return !files || std::ranges::any_of(*files, [&](const HiddenFile& file) {
    return file.parts.stem == stem && file.parts.first == start;
  });
}

bool is_newest(const SpoolCapture& capture, const std::vector<SpoolCapture>& captures) {
  return std::ranges::none_of(captures, [&capture](const SpoolCapture& other) {
    return other.stem == capture.stem && other.start > capture.start;
  });
}

}  // namespace

void Removals::add(const ShelfFile& file) {
  if (file.capture == Timestamp{}) return;
  by_capture_[{file.stem, file.capture}] += {1, file.packets, file.bytes, file.room_bytes, file.last};
}

void Removals::write(std::vector<std::string>& problems) {
  for (auto& [capture, removed] : by_capture_) {
    const auto& [stem, start] = capture;
    std::string problem;
    if (const auto before = read_removed(directory_.path(), stem, start, problem)) {
      removed += *before;
      removed.others = before->others;
    }
    if (!problem.empty()) problems.push_back(std::move(problem));
    const auto text = format::encode_removed(removed);
    const auto name = format::removed_file_name(stem, start);
    if (auto done = storage::write_small_file(directory_, name, std::as_bytes(std::span(text))); !done)
      problems.push_back(done.error().message() + ": verify will miss what was removed");
  }
}

std::optional<format::Removed> read_removed(const std::string& directory, const std::string& stem, Timestamp start,
                                            std::string& problem) {
  const auto path = directory + "/" + format::removed_file_name(stem, start);
  const auto text = storage::read_small_file(path, largest_removed_file);
  if (!text) {
    if (text.error().code != ENOENT) problem = text.error().message();
    return std::nullopt;
  }
  auto removed = format::decode_removed(*text);
  if (removed) return std::move(*removed);
  problem = path + ": " + removed.error();
  return std::nullopt;
}

void clear_remains(const Shelf& shelf, const std::vector<ShelfFile>& left, Timestamp running,
                   std::vector<std::string>& problems) {
  const auto& directory = shelf.directory();
  for (const auto& capture : shelf.captures()) {
    const auto removed_name = format::removed_file_name(capture.stem, capture.start);
    const bool of_it = std::ranges::any_of(left, [&capture](const ShelfFile& file) {
      return file.stem == capture.stem && (file.capture == capture.start || file.capture == Timestamp{});
    });
    if (!shelf.takes(capture.stem) || of_it || capture.start == running || is_newest(capture, shelf.captures()))
      continue;
    if (!capture.archives.empty()) continue;  // files of it are elsewhere, and are found and counted from here
    if (!storage::is_there(directory, removed_name)) continue;
    if (may_have_hidden_file(capture.directory, capture.stem, capture.start)) continue;
    for (const auto& name : {format::ledger_file_name(capture.stem, capture.start),
                             format::capture_file_name(capture.stem, capture.start), removed_name}) {
      const auto there = storage::look_at(directory, name);
      if (!there || !there->regular || !there->only_name) continue;
      if (auto done = storage::remove_file(directory, name, there->identity); !done)
        problems.push_back(done.error().message());
    }
  }
}

}  // namespace wirespool::keep

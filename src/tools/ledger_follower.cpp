// SPDX-License-Identifier: BSD-3-Clause
#include "tools/ledger_follower.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "format/file_name.hpp"
#include "tools/capture_group.hpp"
#include "tools/ledger_file.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_of_the_past = 1 << 20;  // bytes of a ledger that are read at first: minutes of lines

struct Found {
  std::string directory;
  format::CaptureName capture;
};

// STEM-<start>.ledger.jsonl
std::optional<Found> found_at(const fs::path& path) {
  constexpr std::string_view end = ".ledger.jsonl";
  const auto name = path.filename().string();
  if (!name.ends_with(end)) return std::nullopt;
  auto capture = format::parse_capture_name(std::string_view(name).substr(0, name.size() - end.size()));
  if (!capture) return std::nullopt;
  return Found{path.parent_path().string(), std::move(*capture)};
}

// The newest first.
std::expected<std::vector<Found>, Error> captures_in(const std::vector<std::string>& directories) {
  std::vector<Found> all;
  for (const auto& directory : directories) {
    std::error_code error;
    auto entry = fs::directory_iterator(directory, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error))
      if (auto found = found_at(entry->path())) all.push_back(std::move(*found));
    if (error) return std::unexpected(Error{directory, error.message(), "give the output directory of a capture"});
  }
  std::ranges::sort(all, std::ranges::greater(), [](const Found& found) { return found.capture.start.ns; });
  return all;
}

std::string capture_file_of(const Found& found) {
  return found.directory + "/" + format::capture_file_name(found.capture.stem, found.capture.start);
}

std::optional<format::LedgerLine> final_in(const std::string& capture_file) {
  const auto file = read_capture_file(capture_file);
  return file ? file->ledger : std::nullopt;
}

}  // namespace

std::expected<LedgerFollower, Error> LedgerFollower::find(const std::vector<std::string>& directories) {
  const auto all = captures_in(directories);
  if (!all) return std::unexpected(all.error());
  std::optional<format::LedgerLine> last;  // of the newest one
  for (const auto& found : *all) {
    auto final = final_in(capture_file_of(found));
    if (!final) return LedgerFollower(found.directory, found.capture.stem, found.capture.start);
    if (!last) last = std::move(final);
  }
  if (!last)
    return std::unexpected(Error{directories.front(), "no capture has written here", "give a capture's --output"});
  return std::unexpected(Error{directories.front(),
                               fmt::format("no capture runs here; the last one, {}, ended {} by {}",
                                           all->front().capture.stem, rfc3339(last->time), last->ended_by),
                               "wirespool ls has what it did"});
}

std::string LedgerFollower::path() const { return directory_ + "/" + format::ledger_file_name(stem_, start_); }

std::vector<format::LedgerLine> LedgerFollower::take_new() {
  std::vector<format::LedgerLine> lines;
  const auto file = storage::ReadFile::open(path());
  if (!file) return lines;
  if (read_ != file->identity()) {  // at first, and when its oldest lines have been removed
    offset_ = read_ ? 0 : file->size() - std::min(file->size(), most_of_the_past);
    read_ = file->identity();
    half_.clear();
  }
  std::string text(file->size() - std::min(file->size(), offset_), '\0');
  const auto got = file->read(offset_, std::as_writable_bytes(std::span(text)));
  if (!got) return lines;
  text.resize(*got);
  offset_ += text.size();
  half_ += text;
  for (std::size_t end = 0; (end = half_.find('\n')) != std::string::npos; half_.erase(0, end + 1))
    if (auto line = format::decode_ledger_line(std::string_view(half_).substr(0, end)))
      lines.push_back(std::move(*line));
  if (lines.empty() || !lines.back().final)
    if (auto final = take_final()) lines.push_back(std::move(*final));
  return lines;
}

// A ledger that could not be written to its end has it in capture.json all the same, which is replaced whole: one that
// was looked into says nothing new.
std::optional<format::LedgerLine> LedgerFollower::take_final() {
  const auto path = directory_ + "/" + format::capture_file_name(stem_, start_);
  const auto file = storage::ReadFile::open(path);
  if (!file || looked_into_ == file->identity()) return std::nullopt;
  looked_into_ = file->identity();
  return final_in(path);
}

bool LedgerFollower::has_open_files() const { return tools::has_open_files(directory_, stem_, start_); }

}  // namespace wirespool::tools

// SPDX-License-Identifier: BSD-3-Clause
#include "tools/manifest.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "format/file_name.hpp"
#include "format/printable.hpp"
#include "read/file_mark.hpp"
#include "read/index_store.hpp"
#include "storage/prefetcher.hpp"
#include "tools/capture_group.hpp"
#include "tools/sha256.hpp"
#include "wirespool/spool.hpp"

namespace wirespool::tools {

namespace fs = std::filesystem;
using storage::Prefetcher;

namespace {

using Line = Manifest::Line;

// Which files get a sum, and which do not.
struct Contents {
  std::set<std::string> paths;
  std::vector<std::string> left_out;
};

void add_if_there(Contents& contents, const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(path, ignored))) contents.paths.insert(path.string());
}

void add_file(Contents& contents, const SpoolEntry& entry) {
  contents.paths.insert(entry.path);
  add_if_there(contents, read::index_path(entry.path));
  if (!entry.named) return;
  const fs::path path(entry.path);
  add_if_there(contents, path.parent_path() / format::cut_file_name(path.filename().string()));
}

// A running capture's ledger grows, and its capture.json is replaced when it ends.
void add_account(Contents& contents, const SpoolCapture& capture) {
  const bool running = has_open_files(capture.directory, capture.stem, capture.start);
  for (const auto& path : {capture.plan_path, capture.ledger_path}) {
    if (path.empty()) continue;
    if (running)
      contents.left_out.push_back(path + ": its capture is running");
    else
      contents.paths.insert(path);
  }
}

Contents contents_of(const Spool& spool, const std::vector<std::string>& places) {
  Contents contents;
  for (const auto& entry : spool.files()) add_file(contents, entry);
  for (const auto& capture : spool.captures()) add_account(contents, capture);
  for (const auto& hidden : files_being_written(places)) contents.left_out.push_back(hidden + ": it is being written");
  for (const auto& hidden : files_left_behind(places))
    contents.left_out.push_back(hidden + ": a crash left it unsealed: `wirespool repair` makes a whole file of it");
  std::ranges::sort(contents.left_out);
  return contents;
}

Error unread(const std::string& path, const std::string& why) {
  return {path, why, "see to it, and make the manifest again", Error::Kind::wrong_use};
}

Error failed_sum(const std::string& what) { return {what, "libcrypto failed", "", Error::Kind::failed}; }

std::expected<std::string, Error> sum_of(const std::string& path) {
  auto sum = Sha256::begin();
  if (!sum) return std::unexpected(sum.error());
  auto source = Prefetcher::start(path);
  if (!source) return std::unexpected(unread(path, source.error().message()));
  while (true) {
    const auto bytes = (*source)->next(0);
    if (!bytes) return std::unexpected(unread(path, bytes.error().message()));
    if (bytes->empty()) break;
    if (!sum->add(*bytes)) return std::unexpected(failed_sum(path));
  }
  auto text = sum->finish();
  if (text.empty()) return std::unexpected(failed_sum(path));
  return text;
}

// The line of a file, which must not change while it is read.
std::expected<Line, Error> line_of(const std::string& path) {
  const auto before = read::mark_of(path);
  auto sum = sum_of(path);
  if (!sum) return std::unexpected(sum.error());
  if (!before || before != read::mark_of(path))
    return std::unexpected(unread(path, "it was changed while it was read"));
  return Line{path, std::move(*sum)};
}

// sha256sum(1): a line whose name has one of these begins with a backslash.
std::string text_of(const Line& line) {
  std::string name, mark;
  for (const char c : line.path) {
    const char* const escape = c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : nullptr;
    if (escape == nullptr) {
      name += c;
      continue;
    }
    name += escape;
    mark = "\\";
  }
  return mark + line.sha256 + "  " + name + "\n";
}

std::string lines_text(const Manifest& manifest) {
  std::string text;
  for (const auto& line : manifest.lines) text += text_of(line);
  return text;
}

}  // namespace

std::expected<Manifest, Error> make_manifest(const std::vector<std::string>& places) {
  auto all = Sha256::begin();
  if (!all) return std::unexpected(all.error());
  const auto spool = Spool::open(places);
  if (!spool) return std::unexpected(spool.error());
  auto contents = contents_of(*spool, places);
  Manifest manifest;
  manifest.notices = spool->notices();
  manifest.problems = spool->problems();
  manifest.left_out = std::move(contents.left_out);
  for (const auto& path : contents.paths) {
    if (auto line = line_of(path))
      manifest.lines.push_back(std::move(*line));
    else
      manifest.problems.push_back(std::move(line.error()));
  }
  const auto text = lines_text(manifest);
  if (!all->add(std::as_bytes(std::span(text))) || (manifest.all = all->finish()).empty())
    return std::unexpected(failed_sum("SHA-256"));
  return manifest;
}

std::string render_text(const Manifest& manifest) {
  auto text = lines_text(manifest);
  for (const auto& line : manifest.left_out) text += "# left out: " + format::printable(line) + "\n";
  for (const auto& problem : manifest.problems) text += "# not read: " + format::printable(problem.message()) + "\n";
  return text + "# all: " + manifest.all + "\n";
}

}  // namespace wirespool::tools

// SPDX-License-Identifier: BSD-3-Clause
#include "read/live_captures.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "format/file_name.hpp"

namespace wirespool::read {

namespace fs = std::filesystem;

namespace {

// A write of it that is just being done is over much sooner.
constexpr unsigned most_tries = 20;
constexpr auto between_tries = std::chrono::milliseconds(1);

}  // namespace

std::vector<LiveCapture> LiveCapture::in(const std::string& directory) { return in(directory, {}); }

std::vector<LiveCapture> LiveCapture::in(const std::string& directory,
                                         const std::vector<storage::FileIdentity>& known) {
  std::vector<LiveCapture> found;
  std::error_code error;
  auto entry = fs::directory_iterator(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    auto stem = format::parse_live_file_name(entry->path().filename().string());
    if (!stem) continue;
    auto file = storage::ReadFile::open(entry->path().string());
    if (!file) continue;  // it has just been removed
    if (std::ranges::find(known, file->identity()) != known.end()) continue;
    LiveCapture capture(directory, std::move(*stem), std::move(*file));
    if (capture.look_again() && capture.running()) found.push_back(std::move(capture));
  }
  return found;
}

// Who it belongs to is asked first: what is read of one that has ended is all that it told.
bool LiveCapture::look_again() {
  if (!running_) return false;
  const bool running = file_.is_locked();
  auto now = read();
  if (now && (*now != told_ || running != running_)) {
    told_ = std::move(*now);
    running_ = running;
    return true;
  }
  const bool ended = running != running_;
  running_ = running;
  return ended;
}

std::optional<format::LiveFile> LiveCapture::read() const {
  for (unsigned tries = 0; tries < most_tries; ++tries) {
    if (tries > 0) std::this_thread::sleep_for(between_tries);
    std::vector<std::byte> bytes(std::min<std::uint64_t>(file_.size_now(), format::largest_live_file));
    const auto got = file_.read(0, bytes);
    if (!got) return std::nullopt;
    if (auto live = format::decode_live_file(std::span(bytes).first(*got))) return std::move(*live);
  }
  return std::nullopt;
}

// A hidden name is never given twice, and leads to its file as long as it is there.
std::string path_of_open_file(const std::string& directory, const std::string& hidden_path, std::uint64_t inode) {
  std::error_code error;
  if (fs::exists(hidden_path, error)) return hidden_path;
  auto entry = fs::directory_iterator(directory, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (!format::parse_file_name(entry->path().filename().string())) continue;
    const auto sealed = storage::ReadFile::open(entry->path().string());
    if (sealed && sealed->identity().inode == inode) return entry->path().string();
  }
  return hidden_path;
}

}  // namespace wirespool::read

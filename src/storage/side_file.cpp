// SPDX-License-Identifier: BSD-3-Clause
#include "storage/side_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "storage/io_error.hpp"
#include "storage/read_file.hpp"

namespace wirespool::storage {
namespace {

constexpr std::size_t buffer_bytes = 1 << 20;

std::expected<bool, IoError> same_content(const Directory& directory, const std::string& a, const std::string& b) {
  const auto first = ReadFile::open_in(directory, a), second = ReadFile::open_in(directory, b);
  if (!first) return std::unexpected(first.error());
  if (!second) return std::unexpected(second.error());
  if (first->size() != second->size()) return false;
  std::vector<std::byte> ours(buffer_bytes), theirs(buffer_bytes);
  for (std::uint64_t at = 0; at < first->size(); at += ours.size()) {
    const auto got = first->read(at, ours);
    const auto other = second->read(at, theirs);
    if (!got) return std::unexpected(got.error());
    if (!other) return std::unexpected(other.error());
    if (*got != *other || std::memcmp(ours.data(), theirs.data(), *got) != 0) return false;
  }
  return true;
}

}  // namespace

std::expected<SideFile, IoError> SideFile::create(const Directory& directory, std::string hidden_name) {
  if (::unlinkat(directory.fd(), hidden_name.c_str(), 0) != 0 && errno != ENOENT)
    return refused("creating", directory.path_of(hidden_name), "unlinkat of what has this name");
  auto file = DirectFile::create(directory, std::move(hidden_name), DirectFile::Mode::buffered);
  if (!file) return std::unexpected(file.error());
  return SideFile(directory, std::move(*file));
}

SideFile::~SideFile() {
  if (file_.fd() >= 0) (void)file_.discard();
}

std::expected<void, IoError> SideFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(file_.fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      return refused("writing", directory_->path_of(file_.hidden_name()), "pwrite", written < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

std::expected<void, IoError> SideFile::sync_and_forget() {
  if (auto synced = file_.sync(); !synced) return synced;
  ::posix_fadvise(file_.fd(), 0, 0, POSIX_FADV_DONTNEED);
  return {};
}

std::expected<void, IoError> SideFile::keep(std::uint64_t length, const std::string& final_name) {
  auto sealed = file_.seal(length, final_name);
  if (file_.fd() < 0) kept_as_ = final_name;  // also if only syncing the directory failed
  if (sealed || sealed.error().code != EEXIST) return sealed;
  const auto same = same_content(*directory_, file_.hidden_name(), final_name);
  if (!same) return std::unexpected(same.error());
  return *same ? file_.discard() : sealed;
}

void SideFile::take_back() noexcept {
  if (!kept_as_.empty()) ::unlinkat(directory_->fd(), kept_as_.c_str(), 0);
  kept_as_.clear();
}

}  // namespace wirespool::storage

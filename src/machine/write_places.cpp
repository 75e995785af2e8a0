// SPDX-License-Identifier: BSD-3-Clause
#include "machine/write_places.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <set>
#include <system_error>

#include "storage/file_descriptor.hpp"

namespace wirespool::machine {
namespace {

namespace fs = std::filesystem;

// landlock(7). What later versions added is not in the headers of earlier ones.
constexpr std::uint64_t across_directories = 1ULL << 13;  // LANDLOCK_ACCESS_FS_REFER: version 2, Linux 5.19
constexpr std::uint64_t emptying = 1ULL << 14;            // LANDLOCK_ACCESS_FS_TRUNCATE: version 3, Linux 6.2
constexpr std::uint64_t of_files = LANDLOCK_ACCESS_FS_WRITE_FILE | emptying;
constexpr std::uint64_t of_names =
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | across_directories;

// 0: it has none.
int version() noexcept {
  const auto version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

std::uint64_t known_to(int version) noexcept {
  const std::uint64_t later = (version < 2 ? across_directories : 0) | (version < 3 ? emptying : 0);
  return (of_files | of_names) & ~later;
}

std::unexpected<storage::IoError> refused(const char* call, int code) {
  return std::unexpected(storage::IoError{std::string("giving up writing elsewhere: ") + call, code});
}

fs::path directory_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

// What one path allows to write in: directories, or a device or pipe.
void add_places(const std::string& path, std::set<fs::path>& places) {
  if (path.empty() || path == "-") return;
  std::error_code error;
  const auto status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    places.insert(path);
    return;
  }
  places.insert(directory_of(path));
  if (const auto target = fs::canonical(path, error); !error) places.insert(directory_of(target));
}

std::expected<void, storage::IoError> allow(int rules, const fs::path& place, std::uint64_t rights) {
  const storage::FileDescriptor fd(::open(place.c_str(), O_PATH | O_CLOEXEC));
  if (!fd) return {};  // it is not there: whoever opens it is told
  std::error_code error;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = fs::is_directory(place, error) ? rights : rights & of_files;
  rule.parent_fd = fd.get();
  if (::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0 &&
      errno != EBADFD)  // a pipe without a name, behind /dev/fd: nobody is kept from it
    return refused("landlock_add_rule", errno);
  return {};
}

}  // namespace

bool has_write_places() noexcept { return version() > 0; }

std::expected<void, storage::IoError> write_only_in(std::span<const std::string> paths) {
  const auto rights = known_to(version());
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = rights;
  const storage::FileDescriptor rules(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes.handled_access_fs), 0)));
  if (!rules) return refused("landlock_create_ruleset", errno);
  std::set<fs::path> places;
  for (const auto& path : paths) add_places(path, places);
  for (const auto& place : places)
    if (auto done = allow(rules.get(), place, rights); !done) return done;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("prctl", errno);
  if (::syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) return refused("landlock_restrict_self", errno);
  return {};
}

}  // namespace wirespool::machine

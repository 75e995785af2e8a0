// SPDX-License-Identifier: BSD-3-Clause
#include "machine/user.hpp"

#include <cap-ng.h>
#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace wirespool::machine {
namespace {

using storage::IoError;

std::unexpected<IoError> refused(const User& user, const char* call, int code = errno) {
  return std::unexpected(IoError{"becoming " + user.name + ": " + call, code});
}

// The groups of getgrouplist(3), which says how many there are if there is too little room.
std::vector<gid_t> groups_of(const char* name, gid_t gid) {
  std::vector<gid_t> groups(64);
  for (int count = static_cast<int>(groups.size());; count = static_cast<int>(groups.size())) {
    const bool all = ::getgrouplist(name, gid, groups.data(), &count) >= 0;
    groups.resize(static_cast<std::size_t>(count));
    if (all) return groups;
  }
}

bool may_become(const User& user) {
  if (::getuid() == user.uid && ::geteuid() == user.uid) return true;
  return ::capng_get_caps_process() == 0 && ::capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) != 0 &&
         ::capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID) != 0;
}

// setgroups(2) of this thread only: glibc's would be of all.
bool set_own_groups(const std::vector<gid_t>& groups) {
  return ::syscall(SYS_setgroups, groups.size(), groups.data()) == 0;
}

std::expected<void, IoError> change_to(const User& user) {
  if (::setgroups(user.groups.size(), user.groups.data()) != 0) return refused(user, "setgroups");
  if (::setresgid(user.gid, user.gid, user.gid) != 0) return refused(user, "setresgid");
  if (::setresuid(user.uid, user.uid, user.uid) != 0) return refused(user, "setresuid");
  if (::setuid(0) == 0 || ::setgid(0) == 0) return refused(user, "the way back is open", EPERM);
  return {};
}

}  // namespace

std::expected<User, Error> find_user(const std::string& name) {
  const auto* const found = ::getpwnam(name.c_str());
  if (found == nullptr)
    return std::unexpected(Error{"--user", "there is no user " + name,
                                 "useradd --system " + name + ", or give one that getent passwd shows"});
  User user{name, found->pw_uid, found->pw_gid, {}};
  if (user.uid == 0)
    return std::unexpected(
        Error{"--user", name + " is root, which a capture is not to stay", "give another user, or leave --user out"});
  user.groups = groups_of(name.c_str(), user.gid);
  if (may_become(user)) return user;
  return std::unexpected(Error{
      "--user",
      "user " + std::to_string(::geteuid()) + " may not become " + name + ": that takes CAP_SETUID and CAP_SETGID",
      "start it as root, or as " + name, Error::Kind::not_ready});
}

FilesAs::FilesAs(const User* user) {
  if (user == nullptr || ::geteuid() == user->uid) return;
  groups_.resize(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  if (!groups_.empty() && ::getgroups(static_cast<int>(groups_.size()), groups_.data()) < 0) groups_.clear();
  if (!set_own_groups(user->groups)) return;
  gid_ = static_cast<gid_t>(::setfsgid(user->gid));
  uid_ = static_cast<uid_t>(::setfsuid(user->uid));
  changed_ = true;
}

// setfsuid(2) gives file capabilities back to who is root again (capabilities(7)).
FilesAs::~FilesAs() {
  if (!changed_) return;
  ::setfsuid(uid_);
  ::setfsgid(gid_);
  (void)set_own_groups(groups_);
}

std::expected<void, IoError> drop_capabilities() noexcept {
  ::capng_clear(CAPNG_SELECT_CAPS);
  if (::capng_apply(CAPNG_SELECT_CAPS) != 0) return std::unexpected(IoError{"giving up capabilities: capset", errno});
  (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);  // EINVAL: a kernel without them
  return {};
}

std::expected<void, IoError> become(const User& user) {
  if (::geteuid() != user.uid || ::getuid() != user.uid)
    if (auto done = change_to(user); !done) return done;
  if (auto done = drop_capabilities(); !done) return done;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused(user, "prctl");
  // A process that changed its user has a /proc/self/fd of root's, by which deleted files are saved (proc(5)).
  (void)::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  return {};
}

}  // namespace wirespool::machine

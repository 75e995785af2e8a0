// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

#include "storage/io_error.hpp"
#include "wirespool/error.hpp"

namespace wirespool::machine {

// Somebody of this machine, with all groups (passwd(5), group(5), or whatever nsswitch.conf(5) names).
struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
};

// The Error says what to do: there is no such user, it is root, or this process may not become it (that takes
// CAP_SETUID and CAP_SETGID, unless it is that user already).
std::expected<User, Error> find_user(const std::string& name);

// While this lives, what the calling thread does to files it does as that user, whose the new ones are (setfsuid(2)):
// neither more nor less than that user may. Threads started meanwhile begin like that. nullptr: nothing changes.
class FilesAs {
 public:
  explicit FilesAs(const User* user);
  FilesAs(const FilesAs&) = delete;
  FilesAs& operator=(const FilesAs&) = delete;
  ~FilesAs();

 private:
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  std::vector<gid_t> groups_;
  bool changed_ = false;
};

// All threads of this process become the user, for good, and this one has no capability left, as any other that was
// root's: setgroups(2), setresgid(2) and setresuid(2), which glibc carries out in every thread (nptl(7));
// capabilities(7). Nobody gets new privileges from here on (PR_SET_NO_NEW_PRIVS). Verified: the way back is tried.
std::expected<void, storage::IoError> become(const User& user);

// The calling thread gives up all its capabilities, which a thread of a user who is not root may have been given.
std::expected<void, storage::IoError> drop_capabilities() noexcept;

}  // namespace wirespool::machine

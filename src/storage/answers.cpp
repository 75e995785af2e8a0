// SPDX-License-Identifier: BSD-3-Clause
#include "storage/answers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/file_descriptor.hpp"

namespace wirespool::storage {
namespace {

// Only calls that signal-safety(7) allows: other threads may have held any lock.
[[noreturn]] void write_one_byte(const char* directory) noexcept {
  const int file = ::open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (file >= 0 && ::write(file, "", 1) < 0) ::_exit(1);
  ::_exit(0);
}

}  // namespace

bool answers_within(const std::string& directory, std::chrono::milliseconds time) noexcept {
  const pid_t child = ::fork();
  if (child == 0) write_one_byte(directory.c_str());
  if (child < 0) return true;  // not known: the trial write will ask again
  const FileDescriptor ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  pollfd wait{ended.get(), POLLIN, 0};
  ::poll(&wait, 1, static_cast<int>(time.count()));
  int status = 0;
  if (::waitpid(child, &status, WNOHANG) == child) return true;
  ::kill(child, SIGKILL);  // it ends when the drive lets go of it; init reaps it then
  return false;
}

}  // namespace wirespool::storage

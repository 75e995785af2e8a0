// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <stdexcept>

namespace wirespool::test {

// A system call that is to fail, as it does on a kernel or a file system that lacks it.
struct Refusal {
  enum class When { always, equal, any_bit };

  long call = 0;  // SYS_...
  int code = 0;   // errno
  When when = When::always;
  unsigned argument = 0;  // which one is looked at, from 0
  std::uint32_t value = 0;
};

// From now on, for this process and for good (seccomp(2)). False: the kernel has no such filters.
inline bool refuse(const Refusal& refusal) {
  const std::uint16_t test = refusal.when == Refusal::When::equal     ? BPF_JEQ
                             : refusal.when == Refusal::When::any_bit ? BPF_JSET
                                                                      : BPF_JGE;
  const std::uint32_t value = refusal.when == Refusal::When::always ? 0 : refusal.value;
  const auto argument_at = static_cast<std::uint32_t>(offsetof(seccomp_data, args) + 8 * refusal.argument);
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(refusal.call), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument_at),  // the lower half, on little-endian machines
      BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(refusal.code)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(filter)), filter};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// From now on any system call of this thread but the end of the process ends it, by SIGSYS.
inline bool forbid_all_calls() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(filter)), filter};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

constexpr int no_sandbox = 77;

// Runs `body` in a child process and returns what it returned, a small number; -1 if it crashed.
inline int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) ::_exit(body());
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

}  // namespace wirespool::test

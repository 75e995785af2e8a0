// SPDX-License-Identifier: BSD-3-Clause
#include "machine/sandbox.hpp"

#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <span>
#include <string>

#ifdef WIRESPOOL_SECCOMP
#include <seccomp.h>
#endif

namespace wirespool::machine {
namespace {

std::unexpected<storage::IoError> refused(const char* call, int code) {
  return std::unexpected(storage::IoError{std::string("giving up programs and network: ") + call, code});
}

#ifdef WIRESPOOL_SECCOMP

// System calls by name, which are the same on every architecture. Those that this libseccomp does not know are left
// out; for them only the kernel's own permission checks remain.
constexpr std::array<const char*, 39> given_up{
    // programs
    "execve", "execveat",
    // the network, and local sockets
    "socket", "socketpair", "connect", "bind", "listen",
    // other ways to do any of that
    "io_uring_setup", "io_uring_enter", "io_uring_register", "bpf", "userfaultfd", "perf_event_open",
    // other processes
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd", "tkill", "kill",
    // the machine
    "mount", "umount2", "move_mount", "fsopen", "open_tree", "pivot_root", "chroot", "setns", "unshare", "init_module",
    "finit_module", "delete_module", "kexec_load", "reboot", "swapon", "swapoff", "add_key", "keyctl", "request_key"};

// What is done with sockets that are there; read(2) and write(2) are not only for these.
constexpr std::array<const char*, 5> given_up_of_open_sockets{"accept", "accept4", "sendto", "sendmsg", "sendmmsg"};

int forbid(scmp_filter_ctx filter, std::span<const char* const> names) {
  for (const char* name : names) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call == __NR_SCMP_ERROR) continue;
    if (const int code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0); code != 0) return code;
  }
  return 0;
}

int forbid(scmp_filter_ctx filter, Network network) {
  int code = forbid(filter, given_up);
  if (code == 0 && network == Network::none) code = forbid(filter, given_up_of_open_sockets);
  return code == 0 ? seccomp_load(filter) : code;
}

#endif

}  // namespace

#ifdef WIRESPOOL_SECCOMP

bool has_sandbox() noexcept { return true; }

std::expected<void, storage::IoError> give_up_programs_and_network(Network network) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("prctl", errno);
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (!filter) return refused("seccomp_init", ENOMEM);
  const int code = forbid(filter, network);
  seccomp_release(filter);
  if (code != 0) return refused("seccomp_load", -code);
  return {};
}

#else

bool has_sandbox() noexcept { return false; }

std::expected<void, storage::IoError> give_up_programs_and_network(Network) {
  return refused("built without libseccomp", ENOSYS);
}

#endif

}  // namespace wirespool::machine

// SPDX-License-Identifier: BSD-3-Clause
#include "machine/thread_limits.hpp"

#include <cerrno>
#include <span>
#include <string>

#ifdef WIRESPOOL_SECCOMP
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine/call_list.hpp"
#include "storage/file_descriptor.hpp"
#endif

namespace wirespool::machine {
namespace {

using storage::IoError;

std::unexpected<IoError> refused(const char* call, int code) {
  return std::unexpected(IoError{std::string("limiting system calls: ") + call, code});
}

}  // namespace

#ifdef WIRESPOOL_SECCOMP

namespace {

constexpr const char* never_needed[] = {
    // the file tree and its namespaces
    "mount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr",
    "pivot_root", "chroot", "setns", "unshare", "open_by_handle_at", "name_to_handle_at", "mknod", "mknodat", "symlink",
    "symlinkat", "swapon", "swapoff", "quotactl", "quotactl_fd", "fanotify_init",
    // other processes
    "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp", "userfaultfd",
    // the kernel
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "bpf", "perf_event_open", "reboot",
    "syslog", "acct", "iopl", "ioperm", "personality", "add_key", "keyctl", "request_key", "settimeofday",
    "clock_settime", "sethostname", "setdomainname", "vhangup", "nfsservctl", "lookup_dcookie",
    // another user
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid"};

#ifndef __SANITIZE_ADDRESS__  // LeakSanitizer stops the threads of a program that ends
constexpr const char* tracing[] = {"ptrace", "process_vm_readv"};
#else
constexpr std::span<const char* const> tracing;
#endif

constexpr const char* programs[] = {"execve", "execveat"};

constexpr const char* of_a_lcore[] = {
    // files, sockets and rings that are open
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2", "lseek",
    "_llseek", "close", "fstat", "fstat64", "fcntl", "fcntl64", "ftruncate", "ftruncate64", "fallocate", "fdatasync",
    "fsync", "io_uring_enter", "io_uring_register", "ioctl", "poll", "ppoll", "ppoll_time64", "select", "pselect6",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg",
    "sendmmsg", "getsockopt", "setsockopt",
    // memory
    "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "brk", "membarrier",
    // itself
    "futex", "futex_time64", "futex_wait", "futex_wake", "rseq", "set_robust_list", "sched_yield", "sched_getaffinity",
    "getpid", "gettid", "getcpu", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
    "restart_syscall", "exit", "exit_group",
    // time
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep",
    "gettimeofday", "time", "getrandom"};

// libseccomp writes a program to a file only: one in memory.
std::expected<std::vector<std::uint64_t>, IoError> program_of(CallList& list) {
  static_assert(sizeof(sock_filter) == sizeof(std::uint64_t));
  const storage::FileDescriptor file(static_cast<int>(::syscall(SYS_memfd_create, "calls", 1U)));  // MFD_CLOEXEC
  if (!file) return refused("memfd_create", errno);
  if (const int code = list.write_to(file.get()); code != 0) return refused("seccomp_export_bpf", -code);
  const auto bytes = ::lseek(file.get(), 0, SEEK_END);
  std::vector<std::uint64_t> program(static_cast<std::size_t>(bytes > 0 ? bytes : 0) / sizeof(std::uint64_t));
  if (program.empty() || ::pread(file.get(), program.data(), static_cast<std::size_t>(bytes), 0) != bytes)
    return refused("pread", EIO);
  return program;
}

}  // namespace

std::expected<ThreadLimits, IoError> ThreadLimits::of_process(bool runs_commands) {
  CallList list(CallList::Others::allowed);
  if (!list) return refused("seccomp_init", ENOMEM);
  int code = list.refuse(never_needed);
  if (code == 0) code = list.refuse(tracing);
  if (code == 0 && !runs_commands) code = list.refuse(programs);
  if (code != 0) return refused("seccomp_rule_add", -code);
  auto program = program_of(list);
  if (!program) return std::unexpected(program.error());
  return ThreadLimits(std::move(*program));
}

std::expected<ThreadLimits, IoError> ThreadLimits::of_lcores() {
  CallList list(CallList::Others::refused);
  if (!list) return refused("seccomp_init", ENOMEM);
  if (const int code = list.allow(of_a_lcore); code != 0) return refused("seccomp_rule_add", -code);
  auto program = program_of(list);
  if (!program) return std::unexpected(program.error());
  return ThreadLimits(std::move(*program));
}

std::expected<void, IoError> ThreadLimits::take(unsigned flags) const noexcept {
  const sock_fprog program{static_cast<unsigned short>(program_.size()),
                           reinterpret_cast<sock_filter*>(const_cast<std::uint64_t*>(program_.data()))};
  const long result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  if (result == 0) return {};
  return refused("seccomp", result > 0 ? EBUSY : errno);  // > 0: a thread that has a list of its own
}

std::expected<void, IoError> ThreadLimits::take_for_all_threads() const noexcept {
  return take(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW);
}

std::expected<void, IoError> ThreadLimits::take() const noexcept { return take(SECCOMP_FILTER_FLAG_SPEC_ALLOW); }

#else

std::expected<ThreadLimits, IoError> ThreadLimits::of_process(bool) {
  return refused("built without libseccomp", ENOSYS);
}

std::expected<ThreadLimits, IoError> ThreadLimits::of_lcores() { return refused("built without libseccomp", ENOSYS); }

std::expected<void, IoError> ThreadLimits::take_for_all_threads() const noexcept { return refused("seccomp", ENOSYS); }

std::expected<void, IoError> ThreadLimits::take() const noexcept { return refused("seccomp", ENOSYS); }

#endif

}  // namespace wirespool::machine

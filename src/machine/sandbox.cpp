// SPDX-License-Identifier: BSD-3-Clause
#include "machine/sandbox.hpp"

#include <sys/prctl.h>

#include <cerrno>
#include <string>

#ifdef WIRESPOOL_SECCOMP
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "machine/call_list.hpp"
#endif

namespace wirespool::machine {
namespace {

std::unexpected<storage::IoError> refused(const char* call, int code) {
  return std::unexpected(storage::IoError{std::string("giving up all but files: ") + call, code});
}

#ifdef WIRESPOOL_SECCOMP

// Calls that reach no further than what this process has, or may look at.
constexpr const char* harmless[] = {
    // files that are open, and what a look at others tells
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2", "lseek",
    "_llseek", "close", "close_range", "fcntl", "fcntl64", "flock", "dup", "dup2", "dup3", "fsync", "fdatasync",
    "fadvise64", "fadvise64_64", "arm_fadvise64_64", "readahead", "splice", "tee", "sendfile", "copy_file_range",
    "fstat", "fstat64", "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "statfs", "statfs64",
    "fstatfs", "fstatfs64", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd", "getdents",
    "getdents64", "pipe", "pipe2", "eventfd2", "poll", "ppoll", "select", "pselect6", "umask",
    // memory
    "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "brk", "mincore", "msync", "membarrier",
    // threads and signals of this process
    "set_robust_list", "get_robust_list", "set_tid_address", "rseq", "futex", "futex_time64", "sched_yield",
    "sched_getaffinity", "sched_setaffinity", "getpriority", "setpriority", "exit", "exit_group", "rt_sigaction",
    "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait", "sigaltstack", "pause", "restart_syscall",
    // who, where and when
    "gettid", "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups",
    "getpgrp", "getpgid", "getcpu", "clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep", "nanosleep",
    "gettimeofday", "time", "getrandom", "uname", "sysinfo", "getrlimit", "ugetrlimit", "prlimit64", "getrusage",
    "arch_prctl", "prctl",
    // giving up more
    "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"};

// Names made, changed and removed, and files' lengths.
constexpr const char* writing[] = {"open",   "openat",   "openat2",   "creat",  "ftruncate", "ftruncate64", "fallocate",
                                   "rename", "renameat", "renameat2", "link",   "linkat",    "unlink",      "unlinkat",
                                   "mkdir",  "mkdirat",  "rmdir",     "fchmod", "utimensat"};

// What is done with sockets that are there; read(2) and write(2) are not only for these.
constexpr const char* on_sockets[] = {"accept",      "accept4",     "sendto",     "sendmsg",     "sendmmsg",
                                      "recvfrom",    "recvmsg",     "shutdown",   "setsockopt",  "getsockopt",
                                      "getsockname", "getpeername", "epoll_wait", "epoll_pwait", "epoll_ctl"};

// Of ioctl(2): the terminal's mode, size and who has it, a file's extents, a copy that shares them. Not TIOCSTI, which
// types.
constexpr unsigned long ioctls[] = {TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, TIOCGPGRP, FS_IOC_FIEMAP, FICLONE};

constexpr unsigned writes = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
constexpr unsigned namespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

int allow_files(CallList& list, FilesLeft files) {
  if (files == FilesLeft::write) return list.allow(writing);
  if (const int code = list.allow("open", {{1, writes, O_RDONLY}}); code != 0) return code;
  return list.allow("openat", {{2, writes, O_RDONLY}});
}

int allow_ioctls(CallList& list) {
  for (const auto request : ioctls)
    if (const int code = list.allow("ioctl", {{.argument = 1, .value = request}}); code != 0) return code;
  return 0;
}

// Threads, but no namespaces; clone3(2) hides its flags from a filter, and glibc then uses clone(2).
int allow_threads(CallList& list) {
  if (const int code = list.allow("clone", {{0, namespaces, 0}}); code != 0) return code;
  if (const int code = list.refuse("clone3", ENOSYS); code != 0) return code;
  return list.allow("tgkill", {{.argument = 0, .value = static_cast<std::uint64_t>(::getpid())}});  // abort(3)
}

int fill(CallList& list, FilesLeft files, Network network) {
  if (const int code = list.allow(harmless); code != 0) return code;
  if (const int code = allow_files(list, files); code != 0) return code;
  if (network == Network::open_sockets)
    if (const int code = list.allow(on_sockets); code != 0) return code;
  if (const int code = allow_ioctls(list); code != 0) return code;
  if (const int code = list.allow_sanitizer(); code != 0) return code;
  return allow_threads(list);
}

#endif

}  // namespace

#ifdef WIRESPOOL_SECCOMP

bool has_sandbox() noexcept { return true; }

std::expected<void, storage::IoError> confine(FilesLeft files, Network network) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("prctl", errno);
  CallList list(CallList::Others::refused);
  if (!list) return refused("seccomp_init", ENOMEM);
  if (const int code = fill(list, files, network); code != 0) return refused("seccomp_rule_add", -code);
  if (const int code = list.load(); code != 0) return refused("seccomp_load", -code);
  return {};
}

#else

bool has_sandbox() noexcept { return false; }

std::expected<void, storage::IoError> confine(FilesLeft, Network) {
  return refused("built without libseccomp", ENOSYS);
}

#endif

}  // namespace wirespool::machine

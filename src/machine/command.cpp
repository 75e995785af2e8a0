// SPDX-License-Identifier: BSD-3-Clause
#include "machine/command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>

#include "storage/io_error.hpp"

namespace wirespool::machine {

namespace {

constexpr int grace_ms = 2000;

// posix_spawn(3) takes no copy of our page tables: hugepages and the memory a NIC writes to stay ours alone.
class Actions {
 public:
  Actions() {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&files_, STDERR_FILENO, STDOUT_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() {
    ::posix_spawn_file_actions_destroy(&files_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  const posix_spawn_file_actions_t* files() const { return &files_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

// The service manager must hear from us, not from the command (sd_notify(3)).
bool is_ours_alone(std::string_view variable) {
  return variable.starts_with("NOTIFY_SOCKET=") || variable.starts_with("WATCHDOG_");
}

std::vector<char*> environment_with(const std::vector<std::string>& variables) {
  std::vector<char*> all;
  for (char** own = environ; *own != nullptr; ++own)
    if (!is_ours_alone(*own)) all.push_back(*own);
  for (const auto& variable : variables) all.push_back(const_cast<char*>(variable.c_str()));
  all.push_back(nullptr);
  return all;
}

std::string verdict(int status) {
  if (WIFSIGNALED(status)) return "it was ended by signal " + std::to_string(WTERMSIG(status));
  const int code = WEXITSTATUS(status);
  return code == 0 ? "" : "exit code " + std::to_string(code);
}

}  // namespace

std::expected<Command, storage::IoError> Command::start(const CommandLine& line) {
  const Actions actions;
  std::string script = line.command + " \"$@\"", argument = line.argument;
  char shell[] = "/bin/sh", option[] = "-c", name[] = "wirespool";
  char* words[] = {shell, option, script.data(), name, argument.data(), nullptr};
  auto environment = environment_with(line.variables);
  pid_t pid = -1;
  const int code = ::posix_spawn(&pid, shell, actions.files(), actions.attributes(), words, environment.data());
  if (code != 0) return storage::refused("running", line.command, "posix_spawn", code);
  // glibc has a wrapper from 2.36 on only. The child is not reaped yet, so the number is still its own.
  return Command(pid, storage::FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))));
}

Command::Command(Command&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), status_(other.status_) {}

Command::~Command() {
  if (pid_ > 0) end();
}

bool Command::reap(int milliseconds) noexcept {
  if (status_) return true;
  pollfd ready{pidfd_.get(), POLLIN, 0};
  ::poll(&ready, 1, milliseconds);
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_.has_value();
}

std::optional<std::string> Command::wait(std::chrono::milliseconds time) {
  if (!reap(static_cast<int>(time.count()))) return std::nullopt;
  return verdict(*status_);
}

void Command::end() noexcept {
  if (status_) return;
  ::kill(-pid_, SIGTERM);
  if (!reap(grace_ms)) ::kill(-pid_, SIGKILL);
  while (!reap(grace_ms)) continue;
}

namespace {

constexpr int background_nice = 10;

}  // namespace

void stay_in_background(const std::vector<unsigned>& cpus) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const unsigned cpu : cpus)
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  if (!cpus.empty()) (void)::sched_setaffinity(0, sizeof set, &set);
  // On Linux the nice value is a thread's own, and 0 is the calling one (setpriority(2), "C library/kernel
  // differences").
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), background_nice);
}

}  // namespace wirespool::machine

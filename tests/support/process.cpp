// SPDX-License-Identifier: BSD-3-Clause
#include "support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace wirespool::test {
namespace {

constexpr int could_not_start = 127;  // as sh(1) says it

std::vector<char*> as_argv(const Command& command) {
  std::vector<char*> argv;
  for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  return argv;
}

// What our caller left to us is no part of a test: descriptors, stdin, signals ignored (a shell's background job has
// SIGINT ignored, nohup SIGHUP) or held back, the mode of new files.
void forget_our_caller() {
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGCHLD}) std::signal(signal, SIG_DFL);
  umask(S_IWGRP | S_IWOTH);
}

// In the child: only async-signal-safe calls (signal-safety(7)).
[[noreturn]] void become(char* const* argv, int out, int err, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(could_not_start);  // it died before prctl
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  forget_our_caller();
  execvp(argv[0], argv);
  constexpr char text[] = "exec failed\n";
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, sizeof text - 1);
  _exit(could_not_start);
}

std::string content(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return "";
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  const auto got = pread(fd, text.data(), text.size(), 0);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

}  // namespace

std::string ProcessResult::describe() const {
  std::ostringstream text;
  text << (timed_out     ? "timed out"
           : signal != 0 ? "ended by signal " + std::to_string(signal)
                         : "exit code " + std::to_string(exit_code));
  text << "\nstdout:\n" << out << "\nstderr:\n" << err;
  return text.str();
}

Process::Process(const Command& command) {
  if (command.empty() || !have_program(command[0]))
    throw std::runtime_error("no such program: " + (command.empty() ? "" : command[0]));
  out_ = memfd_create("stdout", MFD_CLOEXEC);
  err_ = memfd_create("stderr", MFD_CLOEXEC);
  const auto argv = as_argv(command);
  const auto parent = getpid();
  pid_ = fork();
  if (pid_ == 0) become(argv.data(), out_, err_, parent);
  if (pid_ < 0) throw std::runtime_error("fork failed");
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));  // pidfd_open(2); glibc 2.35 has no wrapper
}

Process::~Process() {
  if (!status_) {
    send_signal(SIGKILL);
    reap(Seconds(10));
  }
  for (const auto fd : {out_, err_, pidfd_})
    if (fd >= 0) close(fd);
}

bool Process::running() { return !reap(Seconds(0)); }
std::string Process::out() const { return content(out_); }
std::string Process::err() const { return content(err_); }

bool Process::wait_for_output(const std::string& text, Seconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const bool alive = running();
    if (out().find(text) != std::string::npos || err().find(text) != std::string::npos) return true;
    if (!alive || std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void Process::send_signal(int signal) const {
  if (!status_) kill(pid_, signal);  // not reaped yet, so the PID is still its own
}

bool Process::reap(Seconds timeout) {
  if (status_) return true;
  pollfd wait{pidfd_, POLLIN, 0};
  poll(&wait, 1, static_cast<int>(timeout.count() * 1000));
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_.has_value();
}

ProcessResult Process::wait(Seconds timeout) {
  const bool in_time = reap(timeout);
  if (!in_time) {
    send_signal(SIGKILL);
    reap(Seconds(10));
  }
  return result(!in_time);
}

ProcessResult Process::stop(int signal, Seconds timeout) {
  send_signal(signal);
  return wait(timeout);
}

ProcessResult Process::result(bool timed_out) const {
  ProcessResult result{.timed_out = timed_out, .exit_code = -1, .signal = 0, .out = out(), .err = err()};
  const auto status = status_.value_or(0);
  if (status_ && WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (status_ && WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

ProcessResult run_process(const Command& command, Seconds timeout) { return Process(command).wait(timeout); }

bool have_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return access(name.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');)
    if (access((std::filesystem::path(folder) / name).c_str(), X_OK) == 0) return true;
  return false;
}

}  // namespace wirespool::test

// SPDX-License-Identifier: BSD-3-Clause
#include "support/terminal_session.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace wirespool::test {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void become(const Command& command, const std::vector<std::string>& environment) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const auto& one : environment) ::putenv(const_cast<char*>(one.c_str()));
  std::vector<char*> argv;
  for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

// Whether there is an exit code; it stays to be waited for.
bool has_ended(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

// What a terminal acts on, as text.
std::string visible(const std::string& written) {
  std::string text;
  for (const char c : written) c == '\x1b' ? text += "<ESC>" : text += c;
  return text;
}

}  // namespace

TerminalSession::TerminalSession(const Command& command, unsigned rows, unsigned columns,
                                 const std::vector<std::string>& environment) {
  winsize size{};
  size.ws_row = static_cast<unsigned short>(rows);
  size.ws_col = static_cast<unsigned short>(columns);
  pid_ = ::forkpty(&master_, nullptr, nullptr, &size);
  if (pid_ < 0) throw std::runtime_error("no terminal");
  if (pid_ == 0) become(command, environment);
}

TerminalSession::~TerminalSession() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(master_);
}

void TerminalSession::press(const std::string& keys) const { (void)!::write(master_, keys.data(), keys.size()); }

void TerminalSession::resize(unsigned rows, unsigned columns) const {
  winsize size{};
  size.ws_row = static_cast<unsigned short>(rows);
  size.ws_col = static_cast<unsigned short>(columns);
  ::ioctl(master_, TIOCSWINSZ, &size);
}

void TerminalSession::read_some(int timeout_ms) {
  pollfd ready{master_, POLLIN, 0};
  std::array<char, 65536> bytes;
  while (::poll(&ready, 1, timeout_ms) == 1) {
    const auto got = ::read(master_, bytes.data(), bytes.size());
    if (got <= 0) return;  // EIO: nobody has the other end any more
    written_.append(bytes.data(), static_cast<std::size_t>(got));
    timeout_ms = 0;
  }
}

const std::string& TerminalSession::written() {
  read_some(0);
  return written_;
}

std::vector<std::string> TerminalSession::screen() {
  read_some(0);
  const auto end = written_.rfind("\x1b[J");
  const auto begin = end == std::string::npos ? end : written_.rfind("\x1b[H", end);
  if (begin == std::string::npos) return {};
  static const std::regex sequences("\x1b\\[[0-9;]*[mHK]|\r");
  std::istringstream text(std::regex_replace(written_.substr(begin, end - begin), sequences, ""));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

bool TerminalSession::wait_for(const std::string& text, Seconds timeout) {
  const auto end = Clock::now() + timeout;
  for (bool over = false; !over;) {
    over = Clock::now() >= end || has_ended(pid_);
    read_some(50);
    if (std::ranges::any_of(screen(), [&](const auto& line) { return line.find(text) != std::string::npos; }))
      return true;
  }
  const auto last = written_.substr(written_.size() - std::min<std::size_t>(written_.size(), 2000));
  std::fprintf(stderr, "the terminal never showed \"%s\"; last it was given: %s\n", text.c_str(),
               visible(last).c_str());
  return false;
}

int TerminalSession::wait(Seconds timeout) {
  const auto end = Clock::now() + timeout;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (Clock::now() >= end) return -1000;
    read_some(20);
  }
  read_some(0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

termios TerminalSession::modes() const {
  termios modes{};
  if (::tcgetattr(master_, &modes) != 0) throw std::runtime_error("the terminal does not say its modes");
  return modes;
}

}  // namespace wirespool::test

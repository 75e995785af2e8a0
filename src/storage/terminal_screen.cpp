// SPDX-License-Identifier: BSD-3-Clause
#include "storage/terminal_screen.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace wirespool::storage {
namespace {

// Other screen, no cursor, lines that are too long are cut and not wrapped; and all of it back.
constexpr std::string_view take_it = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
constexpr std::string_view give_it_back = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

constexpr std::array faults{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// What a signal handler needs. `taken` guards the others.
std::atomic<bool> taken{false};
int screen_fd = -1, keys_fd = -1;
termios modes_before{};

void give_back_and_die(int signal) {
  TerminalScreen::give_back_now();
  ::raise(signal);  // SA_RESETHAND: now it does what it does by default
}

void watch_for_faults() {
  for (const int signal : faults) {
    struct sigaction before {};
    if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) continue;
    struct sigaction action {};
    action.sa_handler = give_back_and_die;
    action.sa_flags = SA_RESETHAND | SA_NODEFER;
    ::sigaction(signal, &action, nullptr);
  }
}

void forget_faults() {
  for (const int signal : faults) {
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == give_back_and_die) ::signal(signal, SIG_DFL);
  }
}

// Keys one by one and not shown; Ctrl-C, and it alone, still is a signal.
std::expected<void, IoError> take_keys(int fd) {
  if (::tcgetattr(fd, &modes_before) != 0) return std::unexpected(IoError{"terminal: tcgetattr", errno});
  auto modes = modes_before;
  modes.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
  modes.c_iflag &= ~static_cast<tcflag_t>(IXON);
  modes.c_cc[VSUSP] = _POSIX_VDISABLE;
  modes.c_cc[VQUIT] = _POSIX_VDISABLE;
  if (::tcsetattr(fd, TCSANOW, &modes) != 0) return std::unexpected(IoError{"terminal: tcsetattr", errno});
  return {};
}

}  // namespace

bool is_terminal(int fd) noexcept { return ::isatty(fd) == 1; }

bool TerminalScreen::can_take(int out) noexcept {
  const char* const term = std::getenv("TERM");
  const std::string_view kind = term ? term : "";
  return is_terminal(out) && !kind.empty() && kind != "dumb" && ::tcgetpgrp(out) == ::getpgrp();
}

std::expected<TerminalScreen, IoError> TerminalScreen::take(Speaker& out) {
  const bool has_keys = is_terminal(STDIN_FILENO) && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
  const int keys = has_keys ? STDIN_FILENO : -1;
  if (keys >= 0)
    if (const auto done = take_keys(keys); !done) return std::unexpected(done.error());
  screen_fd = out.fd();
  keys_fd = keys;
  taken.store(true, std::memory_order_release);
  watch_for_faults();
  out.say(take_it);
  return TerminalScreen(keys, out);
}

TerminalScreen::TerminalScreen(TerminalScreen&& other) noexcept
    : in_(other.in_), out_(std::exchange(other.out_, nullptr)) {}

void TerminalScreen::give_back() noexcept {
  auto* const out = std::exchange(out_, nullptr);
  if (out == nullptr || !taken.exchange(false, std::memory_order_acq_rel)) return;
  forget_faults();
  if (in_ >= 0) ::tcsetattr(in_, TCSANOW, &modes_before);
  out->say(give_it_back);
}

TerminalScreen::Size TerminalScreen::size() const noexcept {
  winsize size{};
  if (::ioctl(out_->fd(), TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {24, 80};
  return {size.ws_row, size.ws_col};
}

bool TerminalScreen::show(const std::vector<std::string>& lines) {
  if (!out_->idle()) return false;
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) text += lines[i] + (i + 1 < lines.size() ? "\x1b[K\r\n" : "\x1b[K");
  out_->say(text + "\x1b[J");
  return true;
}

std::optional<char> TerminalScreen::key() noexcept {
  if (in_ < 0) return std::nullopt;
  pollfd pressed{in_, POLLIN, 0};
  char key = 0;
  if (::poll(&pressed, 1, 0) != 1 || (pressed.revents & POLLIN) == 0 || ::read(in_, &key, 1) != 1) return std::nullopt;
  return key;
}

void TerminalScreen::give_back_now() noexcept {
  if (!taken.exchange(false, std::memory_order_acq_rel)) return;
  if (keys_fd >= 0) ::tcsetattr(keys_fd, TCSANOW, &modes_before);
  pollfd room{screen_fd, POLLOUT, 0};
  if (::poll(&room, 1, 0) == 1) (void)!::write(screen_fd, give_it_back.data(), give_it_back.size());
}

}  // namespace wirespool::storage

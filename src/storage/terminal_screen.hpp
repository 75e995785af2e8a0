// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <termios.h>

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "storage/io_error.hpp"
#include "storage/speaker.hpp"

namespace wirespool::storage {

// A terminal taken as a whole: its other screen, keys as they are pressed, no cursor (console_codes(4), termios(3)).
// Given back as it was by the destructor, and also by a signal that ends the process because of its own fault (SIGSEGV,
// SIGABRT and the like). Nothing waits for the terminal: what is shown goes through a Speaker. One at a time, one
// thread.
class TerminalScreen {
 public:
  struct Size {
    unsigned rows, columns;
  };

  // Whether `out` is a terminal that can be taken: one that moves its cursor (TERM), and whose foreground is this
  // process's; one in the background would be stopped (SIGTTOU).
  static bool can_take(int out) noexcept;

  // Keys come from standard input, if that is a terminal too. `out` outlives this.
  static std::expected<TerminalScreen, IoError> take(Speaker& out);
  TerminalScreen(TerminalScreen&& other) noexcept;
  TerminalScreen& operator=(TerminalScreen&&) = delete;
  ~TerminalScreen() { give_back(); }

  bool is_taken() const noexcept { return out_ != nullptr; }
  void give_back() noexcept;

  Size size() const noexcept;  // now; 24 x 80 if it does not say
  // Shows these lines, from the top. Does nothing, and gives false, while the last ones are not out.
  bool show(const std::vector<std::string>& lines);
  std::optional<char> key() noexcept;  // the next that was pressed

  // What is left to do for whoever ends the process without destructors. Safe in signal handlers.
  static void give_back_now() noexcept;

 private:
  TerminalScreen(int in, Speaker& out) : in_(in), out_(&out) {}
  int in_;        // -1: there are no keys
  Speaker* out_;  // nullptr: given back, or moved from
};

bool is_terminal(int fd) noexcept;

}  // namespace wirespool::storage

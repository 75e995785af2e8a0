// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "format/ledger_line.hpp"
#include "storage/io_error.hpp"
#include "storage/speaker.hpp"
#include "storage/terminal_screen.hpp"
#include "view/history.hpp"
#include "view/screen.hpp"

namespace wirespool::view {

// A capture on a terminal, drawn anew with each ledger line. One thread, which never waits for the terminal.
class LiveView {
 public:
  // Whether `out` is a terminal that can be drawn on. Else people get lines.
  static bool possible(const storage::Speaker& out) noexcept { return storage::TerminalScreen::can_take(out.fd()); }

  // Takes the terminal. Messages that are said to `err` meanwhile are shown in it, and come out afterwards if `err` is
  // a terminal too. Both outlive this. `keys`: what they do, in words. Says why it could not.
  static std::expected<LiveView, storage::IoError> start(storage::Speaker& out, storage::Speaker& err,
                                                         std::string title, std::string keys);
  LiveView(LiveView&&) = default;
  LiveView& operator=(LiveView&&) = delete;
  ~LiveView();  // gives it back; waits a moment at most until it is

  void show(const format::LedgerLine& line);
  void set_state(std::string state);
  void add_message(std::string message);

  // To be called often: draws again after a resize, or what could not get out before. Whether `q` was pressed.
  bool tend();

 private:
  LiveView(storage::TerminalScreen screen, storage::Speaker& out, storage::Speaker* held)
      : screen_(std::move(screen)), out_(&out), held_(held) {}
  void draw();

  storage::TerminalScreen screen_;
  storage::Speaker* out_;
  storage::Speaker* held_;  // nullptr: its texts go elsewhere
  Look look_;
  std::string title_, keys_, state_ = "running";
  std::vector<std::string> messages_;
  History history_;
  std::optional<Size> drawn_;  // nullopt: what is on the screen is not the newest
  bool any_line_ = false;
};

}  // namespace wirespool::view

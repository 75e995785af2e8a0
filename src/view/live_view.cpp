// SPDX-License-Identifier: BSD-3-Clause
#include "view/live_view.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <utility>

namespace wirespool::view {
namespace {

constexpr std::size_t most_messages = 5;
constexpr auto last_moment = std::chrono::milliseconds(300);

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

// NO_COLOR (no-color.org): any value but an empty one. The locale as locale(7) says: LC_ALL, else LC_CTYPE, else LANG.
Look look_of_environment() {
  std::string locale;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (locale.empty()) locale = variable(name);
  std::ranges::transform(locale, locale.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const bool utf8 = locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
  return {.colours = variable("NO_COLOR").empty(), .utf8 = utf8};
}

}  // namespace

std::expected<LiveView, storage::IoError> LiveView::start(storage::Speaker& out, storage::Speaker& err,
                                                          std::string title, std::string keys) {
  auto screen = storage::TerminalScreen::take(out);
  if (!screen) return std::unexpected(screen.error());
  const bool same = storage::is_terminal(err.fd());
  if (same) err.hold();
  LiveView view(std::move(*screen), out, same ? &err : nullptr);
  view.look_ = look_of_environment();
  view.title_ = std::move(title);
  view.keys_ = std::move(keys);
  return view;
}

// Messages come after the screen is back: what is written before goes with the other screen.
LiveView::~LiveView() {
  if (!screen_.is_taken()) return;
  screen_.give_back();
  (void)out_->finish(last_moment);
  if (held_) held_->release();
}

void LiveView::show(const format::LedgerLine& line) {
  history_.add(line);
  any_line_ = true;
  draw();
}

void LiveView::set_state(std::string state) {
  if (state == state_) return;
  state_ = std::move(state);
  drawn_.reset();
}

void LiveView::add_message(std::string message) {
  messages_.push_back(std::move(message));
  if (messages_.size() > most_messages) messages_.erase(messages_.begin());
  drawn_.reset();
}

bool LiveView::tend() {
  const auto size = screen_.size();
  if (!drawn_ || *drawn_ != Size{size.rows, size.columns}) draw();
  bool quit = false;
  while (const auto key = screen_.key()) quit |= *key == 'q' || *key == 'Q';
  return quit;
}

void LiveView::draw() {
  drawn_.reset();
  if (!any_line_) return;
  const auto of_screen = screen_.size();
  const Size size{of_screen.rows, of_screen.columns};
  auto messages = messages_;
  if (held_) std::ranges::move(held_->latest(most_messages), std::back_inserter(messages));
  const Scene scene{title_, state_, &history_, std::move(messages), keys_};
  if (screen_.show(view::draw(scene, size, look_))) drawn_ = size;
}

}  // namespace wirespool::view

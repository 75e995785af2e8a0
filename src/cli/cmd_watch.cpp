// SPDX-License-Identifier: BSD-3-Clause
#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>
#include <utility>

#include "cli/commands.hpp"
#include "cli/errors.hpp"
#include "cli/parse.hpp"
#include "stats/render.hpp"
#include "tools/ledger_follower.hpp"
#include "view/live_view.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto nap = std::chrono::milliseconds(50);
constexpr auto period = std::chrono::milliseconds(200);  // between two looks at the ledger
constexpr auto last_moment = std::chrono::milliseconds(500);

struct Request {
  std::vector<std::string> directories;
};

options::Table<Request> make_table() {
  options::Table<Request> table(
      {.command = "watch",
       .summary =
           "Shows a running capture on this terminal as the terminal that it was started on does, until it ends or q "
           "is "
           "pressed; a line for each of its ledger's where there is no terminal. It reads what the capture writes, and "
           "the capture does not notice. Of several, it is the one that was started last.",
       .examples = {{"wirespool watch /data/nvme0", "rates, drives, lcores, and what is lost"},
                    {"wirespool watch /data/nvme0 | tee watch.log", "a line an interval"}}});
  table
      .operands("DIR", &Request::directories, "output directories of captures; one of a capture's is enough",
                options::Offers::directories)
      .needed();
  return table;
}

std::atomic<bool> interrupted{false};

// How the capture looks from here. Ends with its last line, or if it is known to have ended without one.
class Watching {
 public:
  Watching(tools::LedgerFollower follower, storage::Speaker& out) : follower_(std::move(follower)), out_(out) {}

  void draw_on(view::LiveView live) { live_.emplace(std::move(live)); }

  // Whether there is more to come.
  bool look() {
    if (Clock::now() >= next_) {
      next_ = Clock::now() + period;
      for (const auto& line : follower_.take_new()) take(line);
      if (!ended()) judge_silence();
    }
    if (live_ && live_->tend()) return false;
    return !ended();
  }

  // What is said after the screen was given back.
  int finish() {
    live_.reset();
    if (last_.final) out_.say(stats::console_summary(last_) + "\n");
    const bool said = out_.finish(last_moment);
    if (dead_)
      return print_error(
          {follower_.directory() + "/" + follower_.stem(),
           "the capture ended without a last line of its ledger, the newest is of " + rfc3339(last_.time),
           "wirespool repair " + follower_.directory(), Error::Kind::not_ready});
    return said ? Exit::done : Exit::machine_not_ready;
  }

 private:
  bool ended() const { return last_.final || dead_; }

  void take(const format::LedgerLine& line) {
    if (live_) {
      live_->set_state("running");
      live_->show(line);
    } else if (!line.final) {
      out_.say(stats::console_line(line, last_) + "\n");
    }
    interval_ = std::max<std::uint64_t>(interval_ / 2, line.elapsed_ns - std::min(line.elapsed_ns, last_.elapsed_ns));
    last_ = line;
    heard_ = Clock::now();
  }

  // A capture whose lines stay away hangs, is stopped (SIGSTOP), or has died.
  void judge_silence() {
    const auto silence = Clock::now() - heard_;
    if (silence < std::chrono::seconds(3) + std::chrono::nanoseconds(3 * interval_)) return;
    if (!follower_.has_open_files()) {
      dead_ = true;
    } else if (live_) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(silence).count();
      live_->set_state("no ledger line for " + std::to_string(seconds) + " s");
    }
  }

  tools::LedgerFollower follower_;
  storage::Speaker& out_;
  std::optional<view::LiveView> live_;  // none: lines
  format::LedgerLine last_;
  std::uint64_t interval_ = 0;  // between its lines, as they come
  Clock::time_point next_, heard_ = Clock::now();
  bool dead_ = false;
};

int run(const Request& request) {
  auto follower = tools::LedgerFollower::find(request.directories);
  if (!follower) return print_error(follower.error());
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) (void)std::signal(signal, [](int) { interrupted = true; });
  (void)std::signal(SIGPIPE, SIG_IGN);
  auto out = storage::Speaker::standard_output(), err = storage::Speaker::standard_error();
  const auto name = follower->stem() + " in " + follower->directory();
  Watching watching(std::move(*follower), out);
  if (view::LiveView::possible(out)) {
    auto live = view::LiveView::start(out, err, name, "q: leave");
    if (live) watching.draw_on(std::move(*live));
  }
  while (watching.look() && !interrupted) std::this_thread::sleep_for(nap);
  return watching.finish();
}

}  // namespace

std::vector<options::Page> watch_pages() { return {make_table().page()}; }

int cmd_watch(const Args& args) { return with_args(make_table(), args, run); }

}  // namespace wirespool::cli

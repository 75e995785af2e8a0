// SPDX-License-Identifier: BSD-3-Clause
#include "storage/speaker.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace wirespool::storage {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_waiting_bytes = 1 << 20;
constexpr std::size_t most_unsaid = 16;         // texts kept; the others are counted
constexpr std::size_t most_unsaid_bytes = 512;  // kept of each
constexpr int look_ms = 100;                    // how often a thread that waits for room checks whether it is to end
constexpr auto last_moment = std::chrono::milliseconds(500);

struct Text {
  std::string words;
  Clock::time_point since;
};

}  // namespace

struct Speaker::State {
  explicit State(int descriptor) : fd(descriptor) {}

  const int fd;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Text> waiting;
  std::size_t waiting_bytes = 0;
  std::optional<Text> current;  // a copy of what the thread is writing
  bool current_given_up = false;
  bool ending = false;
  bool held = false;
  bool any_unsaid = false;  // ever
  Unsaid unsaid;

  // With the mutex held.
  void give_up(std::string_view words) {
    any_unsaid = true;
    if (unsaid.texts.size() == most_unsaid) {
      ++unsaid.more;
      return;
    }
    while (words.ends_with('\n')) words.remove_suffix(1);
    unsaid.texts.emplace_back(words.substr(0, most_unsaid_bytes));
  }

  bool is_ending() {
    const std::lock_guard lock(mutex);
    return ending;
  }

  // Writes all of it; false if it could not. Blocks as long as the descriptor does; in non-blocking mode poll(2) waits
  // instead.
  bool write_out(std::string_view words) {
    while (!words.empty()) {
      const ssize_t written = ::write(fd, words.data(), words.size());
      if (written > 0) {
        words.remove_prefix(static_cast<std::size_t>(written));
      } else if (written < 0 && errno == EAGAIN) {
        pollfd room{fd, POLLOUT, 0};
        ::poll(&room, 1, look_ms);
        if (is_ending()) return false;
      } else if (written == 0 || errno != EINTR) {
        return false;
      }
    }
    return true;
  }
};

Speaker::Speaker(int fd) : state_(std::make_shared<State>(fd)) {
  // Signals are for the other threads; SIGPIPE, which goes to the writing thread, becomes EPIPE here
  // (pthread_sigmask(3)).
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([state = state_] { work(state); }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Speaker Speaker::standard_output() { return Speaker(STDOUT_FILENO); }
Speaker Speaker::standard_error() { return Speaker(STDERR_FILENO); }

Speaker::~Speaker() {
  if (!state_) return;
  finish(last_moment);
  const std::lock_guard lock(state_->mutex);
  state_->ending = true;
  state_->changed.notify_all();
}

int Speaker::fd() const noexcept { return state_->fd; }

void Speaker::say(std::string_view text) noexcept {
  const std::lock_guard lock(state_->mutex);
  try {
    if (state_->waiting_bytes + text.size() > most_waiting_bytes) {
      state_->give_up(text);
      return;
    }
    state_->waiting.push_back({std::string(text), Clock::now()});
    state_->waiting_bytes += text.size();
    state_->changed.notify_all();
  } catch (const std::exception&) {
    state_->any_unsaid = true;
    ++state_->unsaid.more;
  }
}

bool Speaker::finish(std::chrono::nanoseconds longest) noexcept {
  std::unique_lock lock(state_->mutex);
  const bool out =
      state_->changed.wait_for(lock, longest, [this] { return state_->waiting.empty() && !state_->current; });
  return out && !state_->any_unsaid;
}

bool Speaker::idle() noexcept {
  const std::lock_guard lock(state_->mutex);
  return state_->waiting.empty() && !state_->current;
}

void Speaker::hold() noexcept {
  const std::lock_guard lock(state_->mutex);
  state_->held = true;
}

// They have waited for nobody until now.
void Speaker::release() noexcept {
  const std::lock_guard lock(state_->mutex);
  if (!std::exchange(state_->held, false)) return;
  for (auto& text : state_->waiting) text.since = Clock::now();
  state_->changed.notify_all();
}

std::vector<std::string> Speaker::latest(std::size_t most) {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> texts;
  const auto& waiting = state_->waiting;
  for (auto i = waiting.size() - std::min(waiting.size(), most); i < waiting.size(); ++i) {
    auto words = waiting[i].words;
    while (words.ends_with('\n')) words.pop_back();
    texts.push_back(std::move(words));
  }
  return texts;
}

Unsaid Speaker::take_unsaid(std::chrono::nanoseconds patience) {
  const std::lock_guard lock(state_->mutex);
  if (state_->held) return std::exchange(state_->unsaid, {});
  const auto late = Clock::now() - patience;
  if (state_->current && !state_->current_given_up && state_->current->since <= late) {
    state_->current_given_up = true;
    state_->give_up(state_->current->words);
  }
  while (!state_->waiting.empty() && state_->waiting.front().since <= late) {
    state_->give_up(state_->waiting.front().words);
    state_->waiting_bytes -= state_->waiting.front().words.size();
    state_->waiting.pop_front();
  }
  return std::exchange(state_->unsaid, {});
}

void Speaker::work(const std::shared_ptr<State>& state) noexcept {
  std::unique_lock lock(state->mutex);
  for (;;) {
    state->changed.wait(lock, [&] { return state->ending || (!state->waiting.empty() && !state->held); });
    if (state->ending) return;
    state->current = std::move(state->waiting.front());
    state->waiting.pop_front();
    state->waiting_bytes -= state->current->words.size();
    state->current_given_up = false;
    lock.unlock();
    const bool said = state->write_out(state->current->words);  // only this thread changes `words`
    lock.lock();
    if (!said && !state->current_given_up) state->give_up(state->current->words);
    state->current.reset();
    state->changed.notify_all();
  }
}

void hold_standard_streams() noexcept {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1 || errno != EBADF) continue;
    if (::open("/dev/null", O_RDONLY) != fd) return;  // the lowest number that is free: open(2)
  }
}

}  // namespace wirespool::storage

// SPDX-License-Identifier: BSD-3-Clause
#include "capture/stopping.hpp"

#include <signal.h>

#include <array>
#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace wirespool::capture {

namespace {

constexpr std::array stopping{SIGINT, SIGTERM, SIGQUIT, SIGXCPU, SIGPWR};
constexpr std::array names{"SIGINT", "SIGTERM", "SIGQUIT", "SIGXCPU", "SIGPWR"};

// signal(7), "Standard signals": those that would end a process for reasons outside it.
constexpr std::array ignored{SIGPIPE, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT, SIGXFSZ};

struct Handled {
  int signal;
  struct sigaction before;
};
std::vector<Handled> handled;

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  Handled one{signal, {}};
  if (sigaction(signal, &action, &one.before) == 0) handled.push_back(one);
}

// Lock-free: safe in a handler (signal-safety(7)).
std::atomic<int> stop_signal{0};
std::atomic<unsigned> stop_signals{0};
std::atomic<bool> rotation_asked{false}, ledger_line_asked{false};

void note_stop(int signal) {
  stop_signal.store(signal, std::memory_order_relaxed);
  stop_signals.fetch_add(1, std::memory_order_relaxed);
}

void note_rotation(int) { rotation_asked.store(true, std::memory_order_relaxed); }

void note_ledger_line(int) { ledger_line_asked.store(true, std::memory_order_relaxed); }

}  // namespace

Signals::Signals() {
  for (const int signal : stopping) handle(signal, note_stop);
  handle(SIGHUP, note_rotation);
  handle(SIGUSR1, note_ledger_line);
  for (const int signal : ignored) handle(signal, SIG_IGN);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) handle(signal, SIG_IGN);
}

Signals::~Signals() {
  for (const auto& one : handled) sigaction(one.signal, &one.before, nullptr);
  handled.clear();
}

std::optional<std::string> Signals::stop() const {
  const int signal = stop_signal.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < stopping.size(); ++i)
    if (stopping[i] == signal) return names[i];
  return std::nullopt;
}

unsigned Signals::stops() const { return stop_signals.load(std::memory_order_relaxed); }

bool Signals::take_rotation() { return rotation_asked.exchange(false, std::memory_order_relaxed); }

bool Signals::take_ledger_line() { return ledger_line_asked.exchange(false, std::memory_order_relaxed); }

bool done_by(std::chrono::steady_clock::time_point end, std::function<void()> job) {
  std::packaged_task<void()> task(std::move(job));
  auto done = task.get_future();
  std::thread(std::move(task)).detach();
  if (done.wait_until(end) != std::future_status::ready) return false;
  done.get();  // what it threw
  return true;
}

}  // namespace wirespool::capture

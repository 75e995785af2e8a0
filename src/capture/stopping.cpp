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

constexpr std::array stopping{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU, SIGPWR};
constexpr std::array names{"SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGXCPU", "SIGPWR"};

// signal(7), "Standard signals": those that end a process and say nothing about what it did itself.
constexpr std::array ignored{SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT, SIGXFSZ};

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

std::atomic<int> caught_signal{0};  // lock-free: safe in a handler (signal-safety(7))

std::atomic<unsigned> signals_caught{0};

void note(int signal) {
  caught_signal.store(signal, std::memory_order_relaxed);
  signals_caught.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

StopSignals::StopSignals() {
  for (const int signal : stopping) handle(signal, note);
  for (const int signal : ignored) handle(signal, SIG_IGN);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) handle(signal, SIG_IGN);
}

StopSignals::~StopSignals() {
  for (const auto& one : handled) sigaction(one.signal, &one.before, nullptr);
  handled.clear();
}

std::optional<std::string> StopSignals::caught() const {
  const int signal = caught_signal.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < stopping.size(); ++i)
    if (stopping[i] == signal) return names[i];
  return std::nullopt;
}

unsigned StopSignals::times() const { return signals_caught.load(std::memory_order_relaxed); }

bool done_by(std::chrono::steady_clock::time_point end, std::function<void()> job) {
  std::packaged_task<void()> task(std::move(job));
  auto done = task.get_future();
  std::thread(std::move(task)).detach();
  if (done.wait_until(end) != std::future_status::ready) return false;
  done.get();  // what it threw
  return true;
}

}  // namespace wirespool::capture

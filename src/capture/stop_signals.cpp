// SPDX-License-Identifier: BSD-3-Clause
#include "capture/stop_signals.hpp"

#include <signal.h>

#include <array>
#include <atomic>

namespace wirespool::capture {
namespace {

constexpr std::array stopping{SIGINT, SIGTERM, SIGHUP};
constexpr std::array names{"SIGINT", "SIGTERM", "SIGHUP"};

std::array<struct sigaction, stopping.size() + 1> before;
std::atomic<int> caught_signal{0};  // lock-free: safe in a handler (signal-safety(7))

std::atomic<unsigned> signals_caught{0};

void note(int signal) {
  caught_signal.store(signal, std::memory_order_relaxed);
  signals_caught.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

StopSignals::StopSignals() {
  struct sigaction action {};
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < stopping.size(); ++i) sigaction(stopping[i], &action, &before[i]);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, &before.back());
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < stopping.size(); ++i) sigaction(stopping[i], &before[i], nullptr);
  sigaction(SIGPIPE, &before.back(), nullptr);
}

std::optional<std::string> StopSignals::caught() const {
  const int signal = caught_signal.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < stopping.size(); ++i)
    if (stopping[i] == signal) return names[i];
  return std::nullopt;
}

unsigned StopSignals::times() const { return signals_caught.load(std::memory_order_relaxed); }

}  // namespace wirespool::capture

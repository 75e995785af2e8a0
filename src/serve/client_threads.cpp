// SPDX-License-Identifier: BSD-3-Clause
#include "serve/client_threads.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "serve/listener.hpp"

namespace wirespool::serve {

std::expected<std::unique_ptr<ClientThreads>, Error> ClientThreads::at(const std::string& address, std::string option) {
  auto listener = listen_at(address, option);
  if (!listener) return std::unexpected(std::move(listener.error()));
  storage::FileDescriptor stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop)
    return std::unexpected(Error{option, "eventfd: " + std::generic_category().message(errno),
                                 "let this process open more files (ulimit -n)", Error::Kind::not_ready});
  return std::unique_ptr<ClientThreads>(new ClientThreads(std::move(*listener), std::move(stop), std::move(option)));
}

ClientThreads::~ClientThreads() {
  ::eventfd_write(stop_.get(), 1);
  for (auto& thread : threads_) thread.join();
}

bool ClientThreads::end(Clock::time_point latest) {
  ::eventfd_write(stop_.get(), 1);
  std::unique_lock lock(mutex_);
  if (!ended_.wait_until(lock, latest, [this] { return running_ == 0; })) return false;
  listener_.reset();  // who waits in its queue waits for nobody
  return true;
}

std::expected<void, Error> ClientThreads::start(unsigned clients, Serve serve) {
  serve_ = std::move(serve);
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the other threads
  int error = 0;
  try {
    const std::lock_guard lock(mutex_);  // until all are counted
    for (; threads_.size() < clients; ++running_) threads_.emplace_back([this] { serve_all(); });
  } catch (const std::system_error& failure) {
    error = failure.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error == 0) return {};
  return std::unexpected(Error{option_, "no thread: " + std::generic_category().message(error),
                               "let this user have more processes (ulimit -u, TasksMax=)", Error::Kind::not_ready});
}

void ClientThreads::serve_all() noexcept {
  ::pthread_setname_np(::pthread_self(), "serve");
  while (wait_for_client()) {
    try {
      serve_one();
    } catch (...) {
      nap();
    }
  }
  const std::lock_guard lock(mutex_);
  --running_;
  ended_.notify_all();
}

bool ClientThreads::wait_for_client() const noexcept {
  std::array<pollfd, 2> waits{{{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
  while (::poll(waits.data(), waits.size(), -1) < 0 && errno == EINTR) {
  }
  return waits[1].revents == 0;
}

// Of all threads that were woken one has the client. Without a descriptor for it, it waits.
void ClientThreads::serve_one() {
  storage::FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket) return serve_(std::move(socket));
  if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) nap();
}

void ClientThreads::nap() const noexcept {
  constexpr int ms = 500;
  pollfd stop{stop_.get(), POLLIN, 0};
  ::poll(&stop, 1, ms);
}

}  // namespace wirespool::serve

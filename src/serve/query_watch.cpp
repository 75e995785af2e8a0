// SPDX-License-Identifier: BSD-3-Clause
#include "serve/query_watch.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <system_error>

namespace wirespool::serve {
namespace {

// A query whose client went is stopped so much later at most.
constexpr int look_again_ms = 200;

void tell(QueryWatch::Watched& query, QueryWatch::Why why) {
  query.why = why;
  query.stop = true;
}

bool is_readable(int fd) {
  pollfd input{fd, POLLIN, 0};
  return ::poll(&input, 1, 0) > 0;
}

// A client that has only ended what it sends (shutdown(2)) counts as gone: none that waits for an answer does that.
bool has_gone(int socket) {
  pollfd client{socket, POLLRDHUP, 0};
  return ::poll(&client, 1, 0) > 0;
}

}  // namespace

std::expected<void, Error> QueryWatch::start(const char* what) {
  if (start_thread()) return {};
  return std::unexpected(Error{what, "no thread or descriptor is to be had",
                               "let this user have more of them (ulimit -u, ulimit -n)", Error::Kind::not_ready});
}

bool QueryWatch::start_thread() {
  changed_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!changed_) return false;
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error&) {
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread_.joinable();
}

QueryWatch::~QueryWatch() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
}

void QueryWatch::wake() const noexcept { ::eventfd_write(changed_.get(), 1); }

QueryWatch::Handle QueryWatch::follow(int socket, Clock::time_point end) {
  auto query = std::make_shared<Watched>(socket, end);
  {
    const std::lock_guard lock(mutex_);
    queries_.push_back(query);
  }
  wake();
  return query;
}

void QueryWatch::leave(const Handle& query) {
  const std::lock_guard lock(mutex_);
  std::erase(queries_, query);
}

QueryWatch::Why QueryWatch::judge(const Watched& query) const {
  if (query.stop) return query.why;
  if (is_readable(service_ends_)) return Why::service_ends;
  if (Clock::now() >= query.end) return Why::time_over;
  return has_gone(query.socket) ? Why::client_gone : Why::none;
}

int QueryWatch::look() {
  const std::lock_guard lock(mutex_);
  if (over_) return 0;
  bool any = false;
  for (const auto& query : queries_) {
    if (query->stop) continue;
    if (const auto why = judge(*query); why != Why::none) tell(*query, why);
    any = any || !query->stop;
  }
  return any ? look_again_ms : -1;
}

void QueryWatch::work() {
  ::pthread_setname_np(::pthread_self(), "query-watch");
  bool ending = false;
  for (;;) {
    const int wait = look();
    if (wait == 0) return;
    std::array<pollfd, 2> waits{{{changed_.get(), POLLIN, 0}, {ending ? -1 : service_ends_, POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), wait);
    eventfd_t ignored;
    ::eventfd_read(changed_.get(), &ignored);
    ending = ending || waits[1].revents != 0;
  }
}

std::string words_of(QueryWatch::Why why) {
  switch (why) {
    case QueryWatch::Why::client_gone:
      return "the client has gone";
    case QueryWatch::Why::time_over:
      return "it took longer than --time-limit";
    case QueryWatch::Why::service_ends:
      return "the service ends";
    case QueryWatch::Why::none:
      break;
  }
  return "the client took nothing any more";
}

}  // namespace wirespool::serve

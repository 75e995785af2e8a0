// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serve/connection.hpp"
#include "storage/file_descriptor.hpp"
#include "wirespool/error.hpp"

namespace wirespool::serve {

// Looks after queries that run: a thread of its own tells each to stop when its client has gone, its time is over or
// the service ends. HTTP libraries bound each read and write; a query that finds nothing for an hour does neither.
class QueryWatch {
 public:
  enum class Why { none, client_gone, time_over, service_ends };

  // One query, for as long as its owner has it.
  struct Watched {
    int socket;  // belongs to the owner
    Clock::time_point end;
    std::atomic<bool> stop{false};
    std::atomic<Why> why{Why::none};
  };
  using Handle = std::shared_ptr<Watched>;

  explicit QueryWatch(int service_ends) : service_ends_(service_ends) {}
  ~QueryWatch();

  // Once. An Error, about `what`: no descriptor or no thread is to be had.
  std::expected<void, Error> start(const char* what);

  // Any thread. leave() before the socket is closed: nothing of it is looked at afterwards.
  Handle follow(int socket, Clock::time_point end);
  void leave(const Handle& query);
  // What would be told at this moment: a write may see it before the thread does.
  Why judge(const Watched& query) const;

 private:
  bool start_thread();
  void work();
  int look();  // milliseconds until there is something to do; -1: until somebody says so
  void wake() const noexcept;

  int service_ends_;  // readable when it does
  storage::FileDescriptor changed_;
  std::mutex mutex_;  // held while sockets are looked at, and never while waiting
  std::vector<Handle> queries_;
  bool over_ = false;
  std::thread thread_;
};

std::string words_of(QueryWatch::Why why);  // for the audit line

}  // namespace wirespool::serve

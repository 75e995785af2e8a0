// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <condition_variable>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serve/connection.hpp"
#include "storage/file_descriptor.hpp"
#include "wirespool/error.hpp"

namespace wirespool::serve {

// Threads that take the clients of a listener, each one at a time; whoever comes meanwhile waits in the kernel's queue
// (listen(2)), and takes no descriptor of ours. Whatever goes wrong with one client, no memory to begin with, ends with
// it.
class ClientThreads {
 public:
  using Serve = std::function<void(storage::FileDescriptor socket)>;  // non-blocking; any of the threads

  // Listens at the address (listen_at()); nobody is served yet.
  static std::expected<std::unique_ptr<ClientThreads>, Error> at(const std::string& address, std::string option);
  ~ClientThreads();  // ends, and waits for all

  // Once; threads have the CPUs of the caller and no signals. Why it cannot be: no thread is to be had.
  std::expected<void, Error> start(unsigned clients, Serve serve);

  int stop_fd() const noexcept { return stop_.get(); }  // readable from the end on
  // No client is taken any more, and connections see the end. Whether all threads ended before `latest`.
  bool end(Clock::time_point latest);

 private:
  ClientThreads(storage::FileDescriptor listener, storage::FileDescriptor stop, std::string option)
      : listener_(std::move(listener)), stop_(std::move(stop)), option_(std::move(option)) {}
  void serve_all() noexcept;
  bool wait_for_client() const noexcept;
  void serve_one();
  void nap() const noexcept;

  storage::FileDescriptor listener_, stop_;
  std::string option_;
  Serve serve_;
  std::mutex mutex_;
  std::condition_variable ended_;
  unsigned running_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace wirespool::serve

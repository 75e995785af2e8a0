// SPDX-License-Identifier: BSD-3-Clause
// HTTP by cpp-httplib, but for what bounds a client: connections are accepted, read and written here.
#include <fmt/format.h>
#include <httplib.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "serve/connection.hpp"
#include "serve/listener.hpp"
#include "serve/metrics_service.hpp"

namespace wirespool::serve {
namespace {

constexpr const char* plain = "text/plain; charset=utf-8";

// A Connection as the library reads and writes it. Later versions than 0.11 ask for more, and call some of it
// otherwise.
class HttpStream final : public httplib::Stream {
 public:
  explicit HttpStream(Connection& connection) : connection_(connection) {}

  bool is_readable() const { return connection_.readable(); }
  bool wait_readable() const { return connection_.readable(); }
  bool is_writable() const { return connection_.writable(); }
  bool wait_writable() const { return connection_.writable(); }
  ssize_t read(char* to, std::size_t size) { return connection_.read(to, size); }
  ssize_t write(const char* from, std::size_t size) {
    return connection_.write_all(from, size) ? static_cast<ssize_t>(size) : -1;
  }
  void get_remote_ip_and_port(std::string&, int&) const {}  // nobody asks who it was
  void get_local_ip_and_port(std::string&, int&) const {}
  socket_t socket() const { return connection_.fd(); }
  time_t duration() const { return 0; }

 private:
  Connection& connection_;
};

// Answers requests; any number of threads. Has no socket, and is never told to listen.
class Responder : public httplib::Server {
 public:
  void answer(Connection& connection) {
    HttpStream stream(connection);
    answer_one(stream);
  }

 private:
  // A client that asks for a thousand overlapping ranges of a page is given the page.
  static void forget_ranges(httplib::Request& request) { request.ranges.clear(); }

  template <typename Stream>
  void answer_one(Stream& stream) {
    bool closed = false;
    if constexpr (requires { this->process_request(stream, true, closed, forget_ranges); })
      process_request(stream, true, closed, forget_ranges);
    else  // from 0.18 on
      process_request(stream, std::string(), 0, std::string(), 0, true, closed, forget_ranges);
  }
};

class HttpMetrics final : public MetricsService {
 public:
  HttpMetrics(storage::FileDescriptor listener, storage::FileDescriptor stop, const ServiceLimits& limits)
      : listener_(std::move(listener)), stop_(std::move(stop)), limits_(limits) {}
  ~HttpMetrics() override {
    ::eventfd_write(stop_.get(), 1);
    for (auto& thread : threads_) thread.join();
  }

  std::expected<void, Error> start(AboutCapture about, std::chrono::nanoseconds interval) override;
  void publish(const format::LedgerLine& line) override;

 private:
  using LinePtr = std::shared_ptr<const format::LedgerLine>;

  void make_responder();
  void serve_all() noexcept;
  bool wait_for_client() const noexcept;
  void serve_one();
  void nap() const noexcept;
  void answer_metrics(const httplib::Request& request, httplib::Response& response) const;
  void answer_health(httplib::Response& response) const;

  storage::FileDescriptor listener_, stop_;
  ServiceLimits limits_;
  AboutCapture about_;
  Clock::duration patience_{};
  std::unique_ptr<Responder> responder_;
  mutable std::mutex mutex_;  // held for as long as it takes to copy a pointer
  LinePtr line_;
  Clock::time_point published_;
  std::vector<std::thread> threads_;
};

std::expected<void, Error> HttpMetrics::start(AboutCapture about, std::chrono::nanoseconds interval) {
  about_ = std::move(about);
  patience_ = std::max<Clock::duration>(3 * interval, limits_.silence);
  published_ = Clock::now();
  make_responder();
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the other threads
  int error = 0;
  try {
    while (threads_.size() < limits_.clients) threads_.emplace_back([this] { serve_all(); });
  } catch (const std::system_error& failure) {
    error = failure.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error == 0) return {};
  return std::unexpected(Error{"--metrics", "no thread: " + std::generic_category().message(error),
                               "let this user have more processes (ulimit -u, TasksMax=)", Error::Kind::not_ready});
}

void HttpMetrics::make_responder() {
  responder_ = std::make_unique<Responder>();
  using Request = httplib::Request;
  using Response = httplib::Response;
  responder_->Get("/metrics",
                  [this](const Request& request, Response& response) { answer_metrics(request, response); });
  responder_->Get("/healthz", [this](const Request&, Response& response) { answer_health(response); });
  responder_->set_error_handler([](const Request&, Response& response) {
    if (response.body.empty())
      response.set_content(fmt::format("{}: here are GET /metrics and GET /healthz\n", response.status), plain);
  });
}

void HttpMetrics::publish(const format::LedgerLine& line) {
  auto copy = std::make_shared<const format::LedgerLine>(line);
  const std::lock_guard lock(mutex_);
  line_.swap(copy);
  published_ = Clock::now();
}

void HttpMetrics::answer_metrics(const httplib::Request& request, httplib::Response& response) const {
  LinePtr line;
  {
    const std::lock_guard lock(mutex_);
    line = line_;
  }
  const auto form = form_for(request.get_header_value("Accept"));
  response.set_content(exposition(line.get(), about_, form), content_type(form));
}

void HttpMetrics::answer_health(httplib::Response& response) const {
  Clock::duration silent;
  {
    const std::lock_guard lock(mutex_);
    silent = Clock::now() - published_;
  }
  if (silent <= patience_) return response.set_content("ok\n", plain);
  response.status = 503;
  response.set_content(
      fmt::format("the control thread has written no ledger line for {} s: look at its drives and devices\n",
                  std::chrono::floor<std::chrono::seconds>(silent).count()),
      plain);
}

// Whatever goes wrong with one client, no memory to begin with, ends with it.
void HttpMetrics::serve_all() noexcept {
  ::pthread_setname_np(::pthread_self(), "serve");
  while (wait_for_client()) {
    try {
      serve_one();
    } catch (...) {
      nap();
    }
  }
}

bool HttpMetrics::wait_for_client() const noexcept {
  std::array<pollfd, 2> waits{{{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
  while (::poll(waits.data(), waits.size(), -1) < 0 && errno == EINTR) {
  }
  return waits[1].revents == 0;
}

// Of all threads that were woken one has the client. Without a descriptor for it, it waits.
void HttpMetrics::serve_one() {
  storage::FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) {
    if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) nap();
    return;
  }
  const auto now = Clock::now();
  Connection connection(std::move(socket), stop_.get(), limits_.request_bytes, now + limits_.request,
                        now + limits_.connection);
  responder_->answer(connection);
}

void HttpMetrics::nap() const noexcept {
  constexpr int ms = 500;
  pollfd stop{stop_.get(), POLLIN, 0};
  ::poll(&stop, 1, ms);
}

}  // namespace

std::expected<std::unique_ptr<MetricsService>, Error> bind_metrics(const std::string& address,
                                                                   const ServiceLimits& limits) {
  auto listener = listen_at(address, "--metrics");
  if (!listener) return std::unexpected(std::move(listener.error()));
  storage::FileDescriptor stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop)
    return std::unexpected(Error{"--metrics", "eventfd: " + std::generic_category().message(errno),
                                 "let this process open more files (ulimit -n)", Error::Kind::not_ready});
  return std::make_unique<HttpMetrics>(std::move(*listener), std::move(stop), limits);
}

}  // namespace wirespool::serve

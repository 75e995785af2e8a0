// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "serve/client_threads.hpp"
#include "serve/exchange.hpp"
#include "serve/metrics_service.hpp"

namespace wirespool::serve {
namespace {

constexpr const char* plain = "text/plain; charset=utf-8";

Answer refusal(int status) {
  return {status, plain, fmt::format("{}: here are GET /metrics and GET /healthz\n", status)};
}

class HttpMetrics final : public MetricsService {
 public:
  HttpMetrics(std::unique_ptr<ClientThreads> threads, const ServiceLimits& limits)
      : limits_(limits), threads_(std::move(threads)) {}

  std::expected<void, Error> start(AboutCapture about, std::chrono::nanoseconds interval) override;
  void publish(const format::LedgerLine& line) override;

 private:
  using LinePtr = std::shared_ptr<const format::LedgerLine>;

  void serve(storage::FileDescriptor socket) const;
  Answer answer(const Request& request) const;
  Answer metrics(const Request& request) const;
  Answer health() const;

  ServiceLimits limits_;
  AboutCapture about_;
  Clock::duration patience_{};
  mutable std::mutex mutex_;  // held for as long as it takes to copy a pointer
  LinePtr line_;
  Clock::time_point published_;
  std::unique_ptr<ClientThreads> threads_;  // end before what they use
};

std::expected<void, Error> HttpMetrics::start(AboutCapture about, std::chrono::nanoseconds interval) {
  about_ = std::move(about);
  patience_ = std::max<Clock::duration>(3 * interval, limits_.silence);
  published_ = Clock::now();
  return threads_->start(limits_.clients, [this](storage::FileDescriptor socket) { serve(std::move(socket)); });
}

void HttpMetrics::publish(const format::LedgerLine& line) {
  auto copy = std::make_shared<const format::LedgerLine>(line);
  const std::lock_guard lock(mutex_);
  line_.swap(copy);
  published_ = Clock::now();
}

void HttpMetrics::serve(storage::FileDescriptor socket) const {
  const auto now = Clock::now();
  Connection connection(std::move(socket), threads_->stop_fd(), limits_.request_bytes, now + limits_.request,
                        now + limits_.connection);
  exchange(connection, {[this](const Request& request) { return answer(request); }, refusal});
}

Answer HttpMetrics::answer(const Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") return refusal(404);
  if (request.path == "/metrics") return metrics(request);
  return request.path == "/healthz" ? health() : refusal(404);
}

Answer HttpMetrics::metrics(const Request& request) const {
  LinePtr line;
  {
    const std::lock_guard lock(mutex_);
    line = line_;
  }
  const auto form = form_for(request.accept);
  return {200, content_type(form), exposition(line.get(), about_, form)};
}

Answer HttpMetrics::health() const {
  Clock::duration silent;
  {
    const std::lock_guard lock(mutex_);
    silent = Clock::now() - published_;
  }
  if (silent <= patience_) return {200, plain, "ok\n"};
  return {503, plain,
          fmt::format("the control thread has written no ledger line for {} s: look at its drives and devices\n",
                      std::chrono::floor<std::chrono::seconds>(silent).count())};
}

}  // namespace

std::expected<std::unique_ptr<MetricsService>, Error> bind_metrics(const std::string& address,
                                                                   const ServiceLimits& limits) {
  auto threads = ClientThreads::at(address, "--metrics");
  if (!threads) return std::unexpected(std::move(threads.error()));
  return std::make_unique<HttpMetrics>(std::move(*threads), limits);
}

}  // namespace wirespool::serve

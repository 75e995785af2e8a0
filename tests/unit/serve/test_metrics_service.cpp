// SPDX-License-Identifier: BSD-3-Clause
// A service with real sockets, and the clients nobody wants. What may take long on a busy machine is bounded
// generously.
#include "serve/metrics_service.hpp"

#include <atomic>
#include <filesystem>
#include <thread>

#include "serve/connection.hpp"
#include "support/catch.hpp"
#include "support/loopback_client.hpp"

using namespace wirespool;
using namespace wirespool::serve;
using namespace std::chrono_literals;
using namespace wirespool::test;

#ifdef WIRESPOOL_METRICS

namespace {

std::string at(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

format::LedgerLine line_with(std::uint64_t stored, std::size_t drives = 1) {
  format::LedgerLine line;
  line.totals.stored = stored;
  for (std::size_t i = 0; i < drives; ++i)
    line.drives.push_back(
        {.path = "/data/" + std::to_string(i), .state = "ok", .write_durations = format::WriteDurations{}});
  return line;
}

struct Service {
  std::uint16_t port = free_port();
  std::unique_ptr<MetricsService> service;

  explicit Service(const ServiceLimits& limits = {}) {
    auto bound = bind_metrics(at(port), limits);
    REQUIRE(bound);
    service = std::move(*bound);
    REQUIRE(service->start({"0.2.0", "DPDK", Timestamp{1}}, 10ms));
  }
};

std::size_t open_descriptors() {
  const auto all = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// Few clients at a time, each soon given up: tests need not wait for the usual limits.
constexpr ServiceLimits strict{
    .clients = 2, .connection = 600ms, .request = 300ms, .request_bytes = 4096, .silence = 60s};

}  // namespace

TEST_CASE("a scraper gets the newest line in the form it asks for, and the connection is closed") {
  const Service service;
  CHECK(body_of(get(service.port, "/metrics")).find("wirespool_stored") == std::string::npos);
  service.service->publish(line_with(41));
  service.service->publish(line_with(42));
  const auto text = get(service.port, "/metrics");
  INFO(text);
  CHECK(is(text, "200"));
  CHECK(text.find("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n") != std::string::npos);
  CHECK(text.find("\nwirespool_stored_packets_total 42\n") != std::string::npos);
  CHECK(text.find("(still open)") == std::string::npos);
  const auto open = get(service.port, "/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n");
  CHECK(open.find("\r\nContent-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n") !=
        std::string::npos);
  CHECK(open.ends_with("# EOF\n"));
}

TEST_CASE("nothing else is served, and nothing can be sent") {
  const Service service;
  for (const char* path : {"/", "/../etc/passwd", "/metrics/", "//metrics", "/%2e%2e/etc/passwd", "/healthz\\"}) {
    INFO(path);
    CHECK(is(get(service.port, path), "404"));
  }
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "NONSENSE"}) {
    const auto answer = get(service.port, "/metrics", "Content-Length: 0\r\n", method);
    INFO(method << ": " << answer);
    CHECK_FALSE(is(answer, "200"));
  }
  const auto head = get(service.port, "/metrics", "", "HEAD");
  CHECK(is(head, "200"));
  CHECK(body_of(head).empty());
}

TEST_CASE("health is good while lines come, and 503 when none has come for long") {
  const Service service({.silence = 300ms});
  service.service->publish(line_with(1));
  CHECK(body_of(get(service.port, "/healthz")) == "ok\n");
  std::this_thread::sleep_for(400ms);
  const auto answer = get(service.port, "/healthz");
  CHECK(is(answer, "503"));
  CHECK(body_of(answer).starts_with("the control thread has written no ledger line"));
}

TEST_CASE("clients that send a byte now and then are given up, and others are served meanwhile") {
  const Service service(strict);
  std::vector<Client> slow;
  for (int i = 0; i < 6; ++i) slow.emplace_back(service.port);
  std::atomic<bool> over{false};
  std::thread drip([&] {
    for (std::size_t i = 0; !over; ++i) {
      for (auto& client : slow) client.say(i == 0 ? "GET /metrics HTTP/1.1\r\nX: " : "a");
      std::this_thread::sleep_for(50ms);
    }
  });
  const auto answer = get(service.port, "/metrics");  // behind all of them
  over = true;
  drip.join();
  CHECK(is(answer, "200"));
  for (auto& client : slow) CHECK_FALSE(is(client.hear(), "200"));
}

TEST_CASE("a request that is too long, or none at all, is given up") {
  const Service service(strict);
  const auto filler = std::string(100'000, 'a');
  for (const auto& request :
       {"GET /metrics HTTP/1.1\r\nX: " + filler + "\r\n\r\n", "GET /" + filler + " HTTP/1.1\r\n\r\n", filler,
        "GET /metrics HTTP/1.1\r\n" + std::string(5'000, '\n'), std::string("\0\xff\x16\x03\x01\x02", 6),
        std::string("POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"), std::string("\r\n\r\n")}) {
    const Client client(service.port);
    (void)client.say(request);
    const auto answer = client.hear();
    INFO(request.substr(0, 40));
    CHECK_FALSE(is(answer, "200"));
    CHECK(answer.find("(still open)") == std::string::npos);
  }
  CHECK(is(get(service.port, "/metrics"), "200"));
}

TEST_CASE("ranges do not multiply a page") {
  const Service service;
  service.service->publish(line_with(7));
  std::string ranges = "Range: bytes=0-";
  while (ranges.size() < 3'500) ranges += ",0-";
  const auto answer = get(service.port, "/metrics", ranges + "\r\n");
  CHECK((is(answer, "200") || is(answer, "416")));
  CHECK(answer.size() < 2 * get(service.port, "/metrics").size());
}

TEST_CASE("many connections take no more descriptors than are served at a time") {
  const Service service(strict);
  const auto before = open_descriptors();
  std::vector<Client> clients;
  for (int i = 0; i < 12; ++i) clients.emplace_back(service.port);
  for (int i = 0; i < 20; ++i) {
    CHECK(open_descriptors() <= before + clients.size() + strict.clients);
    std::this_thread::sleep_for(10ms);
  }
  for (auto& client : clients) client.say("GET /metrics HTTP/1.1\r\n\r\n");
  std::size_t served = 0;
  for (auto& client : clients) served += is(client.hear(), "200");
  CHECK(served >= strict.clients);
}

TEST_CASE("a client that does not read a long page is given up, and who publishes never waits") {
  const Service service(strict);
  service.service->publish(line_with(1, 20'000));  // tens of megabytes: no socket's buffer has room for it
  std::vector<Client> deaf;
  for (int i = 0; i < 3; ++i) {
    deaf.emplace_back(service.port);
    deaf.back().say("GET /metrics HTTP/1.1\r\n\r\n");
  }
  std::this_thread::sleep_for(100ms);
  service.service->publish(line_with(2));  // would hang here
  CHECK(get(service.port, "/metrics").find("\nwirespool_stored_packets_total 2\n") != std::string::npos);
}

TEST_CASE("the end waits for no client") {
  const ServiceLimits patient{
      .clients = 3, .connection = 10min, .request = 10min, .request_bytes = 4096, .silence = 60s};
  std::vector<Client> hanging;
  const auto began = Clock::now();
  {
    const Service service(patient);
    service.service->publish(line_with(1, 20'000));
    for (int i = 0; i < 5; ++i) {
      hanging.emplace_back(service.port);
      REQUIRE(hanging.back().connected());
      hanging.back().say(i == 0 ? "GET /metrics HTTP/1.1\r\n\r\n" : "GET /");
    }
    std::this_thread::sleep_for(200ms);
  }
  CHECK(Clock::now() - began < 60s);
}

TEST_CASE("lines are published and pages read at the same time, and each page is of one line") {
  const Service service;
  service.service->publish(line_with(0));
  std::atomic<bool> over{false};
  std::thread publisher([&] {
    for (std::uint64_t i = 0; !over; ++i) {
      auto line = line_with(i);
      line.totals.filtered = 3 * i;
      service.service->publish(line);
    }
  });
  for (int i = 0; i < 50; ++i) {
    const auto page = get(service.port, "/metrics");
    const auto value = [&page](const std::string& name) {
      const auto found = page.find("\n" + name + " ");
      return found == std::string::npos ? 1 : std::stoull(page.substr(found + name.size() + 2));
    };
    CHECK(value("wirespool_filtered_packets_total") == 3 * value("wirespool_stored_packets_total"));
  }
  over = true;
  publisher.join();
}

TEST_CASE("an address that is taken or not this machine's is refused with what to do") {
  const Service service;
  const auto taken = bind_metrics(at(service.port));
  REQUIRE_FALSE(taken);
  CHECK(taken.error().message() ==
        "--metrics: " + at(service.port) +
            ": Address already in use: end who listens there (ss -ltnp), or give another port");
  CHECK(taken.error().kind == Error::Kind::not_ready);
  const auto foreign = bind_metrics("192.0.2.1:" + std::to_string(free_port()));  // RFC 5737: nobody's
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().why.find("Cannot assign requested address") != std::string::npos);
  CHECK_FALSE(bind_metrics("probe.example:9100"));
}

#else

TEST_CASE("without cpp-httplib --metrics is refused with what to build") {
  const auto service = bind_metrics("127.0.0.1:9100");
  REQUIRE_FALSE(service);
  CHECK(service.error().what_to_do == "install libcpp-httplib-dev and build it with -Dmetrics=enabled");
  CHECK(service.error().kind == Error::Kind::not_ready);
}

#endif

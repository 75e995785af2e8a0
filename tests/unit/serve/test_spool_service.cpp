// SPDX-License-Identifier: BSD-3-Clause
// The clients nobody wants, with limits that are soon reached. tests/spool/test_serve.cpp asks for packets.
#include "serve/spool_service.hpp"

#include <atomic>
#include <thread>

#include "serve/audit.hpp"
#include "support/catch.hpp"
#include "support/loopback_client.hpp"
#include "support/temp_dir.hpp"

using namespace wirespool;
using namespace wirespool::serve;
using namespace wirespool::test;
using namespace std::chrono_literals;

TEST_CASE("an audit line has what was asked in quotation marks and without control characters") {
  AuditEntry entry;
  entry.client = "127.0.0.1:1";
  entry.asked = "GET /x?\"\n\x1b[31m";
  entry.status = 200;
  entry.packets = 3;
  const auto line = audit_line(entry);
  CHECK(line.find("asked=\"GET /x?\\\"\\x0a\\x1b[31m\" status=200 bytes=0 packets=3 ") != std::string::npos);
  CHECK(line.ends_with(" whole\n"));
  CHECK(line.find('\n') == line.size() - 1);
  entry.broken_off = "the client has gone";
  CHECK(audit_line(entry).ends_with(" broken-off=\"the client has gone\"\n"));
}

#ifdef WIRESPOOL_METRICS

namespace {

const std::string localhost = "Host: localhost\r\n";

struct Rig {
  TempDir directory;
  std::uint16_t port = free_port();
  SpoolServiceOptions options;
  storage::Speaker log = storage::Speaker::standard_error();
  std::unique_ptr<SpoolService> service;

  Rig() {
    options.directories = {directory.str()};
    options.listen = "127.0.0.1:" + std::to_string(port);
    options.clients = 2;
    options.request = 300ms;
    options.patience = 300ms;
    auto bound = bind_spool_service(options, log);
    REQUIRE(bound);
    service = std::move(*bound);
    REQUIRE(service->start());
  }
};

}  // namespace

TEST_CASE("clients of a service that send a byte now and then are given up, and others are served meanwhile") {
  const Rig rig;
  std::vector<Client> slow;
  for (int i = 0; i < 6; ++i) slow.emplace_back(rig.port);
  std::atomic<bool> over{false};
  std::thread drip([&] {
    for (std::size_t i = 0; !over; ++i) {
      for (auto& client : slow) client.say(i == 0 ? "GET /api/captures HTTP/1.1\r\nX: " : "a");
      std::this_thread::sleep_for(50ms);
    }
  });
  const auto answer = get(rig.port, "/api/captures", localhost);
  over = true;
  drip.join();
  CHECK(is(answer, "200"));
  for (auto& client : slow) CHECK_FALSE(is(client.hear(), "200"));
}

TEST_CASE("an empty directory has no captures, and an extraction without packets") {
  const Rig rig;
  CHECK(body_of(get(rig.port, "/api/captures", localhost)).starts_with("{\"captures\":[]"));
  const auto answer = get(rig.port, "/api/extract", localhost);
  CHECK(is(answer, "200"));
  CHECK(answer.find("Content-Type: application/vnd.tcpdump.pcap\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n0\r\n\r\n"));
}

TEST_CASE("a directory that is gone is 503, and what to do") {
  const Rig rig;
  std::filesystem::remove(rig.directory.path());
  for (const char* path : {"/api/captures", "/api/extract", "/api/estimate", "/api/verify", "/api/ledger?capture=x"}) {
    const auto answer = get(rig.port, path, localhost);
    INFO(path << answer);
    CHECK(is(answer, "503"));
    CHECK(body_of(answer).find("\"what_to_do\"") != std::string::npos);
  }
  std::filesystem::create_directory(rig.directory.path());
}

TEST_CASE("only what reads is served, by GET and HEAD") {
  const Rig rig;
  for (const char* method : {"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "NONSENSE"}) {
    const auto answer = get(rig.port, "/api/captures", localhost + "Content-Length: 0\r\n", method);
    INFO(method << ": " << answer);
    CHECK_FALSE(is(answer, "200"));
  }
  CHECK(is(get(rig.port, "/api/captures", localhost + "Content-Length: 0\r\n", "POST"), "405"));
  const auto head = get(rig.port, "/api/extract", localhost, "HEAD");
  CHECK(is(head, "200"));
  CHECK(body_of(head).empty());
}

TEST_CASE("a service ends at once, whatever its clients do, and answers nobody afterwards") {
  Rig rig;
  const Client silent(rig.port);
  CHECK(rig.service->end(60s));
  CHECK(silent.hear().empty());
}

TEST_CASE("an address that is taken, or is none, is an error that says so") {
  const Rig rig;
  auto log = storage::Speaker::standard_error();
  SpoolServiceOptions options;
  options.listen = rig.options.listen;
  const auto taken = bind_spool_service(options, log);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().message().find("Address already in use") != std::string::npos);
  for (const char* address : {"0.0.0.0:1", "192.0.2.1:1", "[::]:1", "nonsense"}) {
    options.listen = address;
    CHECK_FALSE(bind_spool_service(options, log));
  }
}

#endif

// SPDX-License-Identifier: BSD-3-Clause
#include "serve/pcap_over_ip.hpp"

#include <sys/socket.h>

#include <span>
#include <utility>

#include "serve/audit.hpp"
#include "serve/client_threads.hpp"
#include "serve/listener.hpp"
#include "serve/query_watch.hpp"
#include "tools/extract.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::serve {
namespace {

// A client of this protocol sends nothing. What does is somebody else: a browser that was led here, or a scanner.
bool sent_something(int socket) noexcept {
  char byte;
  return ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

class PcapStreams final : public PcapOverIp {
 public:
  PcapStreams(std::unique_ptr<ClientThreads> threads, const SpoolServiceOptions& options, storage::Speaker& log)
      : options_(options), log_(log), watch_(threads->stop_fd()), threads_(std::move(threads)) {}

  std::expected<void, Error> start() override;
  bool end(std::chrono::nanoseconds longest) override {
    return threads_->end(Clock::now() + std::chrono::duration_cast<Clock::duration>(longest));
  }

 private:
  void serve(storage::FileDescriptor socket);
  void stream(Connection& connection, const std::atomic<bool>& stop, AuditEntry& audit);

  SpoolServiceOptions options_;
  storage::Speaker& log_;
  QueryWatch watch_;
  std::unique_ptr<ClientThreads> threads_;  // end before what they use
};

std::expected<void, Error> PcapStreams::start() {
  if (auto started = watch_.start("--pcap-over-ip"); !started) return started;
  return threads_->start(options_.clients, [this](storage::FileDescriptor socket) { serve(std::move(socket)); });
}

// It ends when the client goes, or the service: there is no limit of time.
void PcapStreams::serve(storage::FileDescriptor socket) {
  const auto begin = Clock::now();
  const auto never = Clock::time_point::max();
  AuditEntry audit;
  audit.begin = time_now();
  audit.client = peer_of(socket.get());
  audit.asked = options_.pcap_over_ip->from_now ? "pcap-over-ip from=now" : "pcap-over-ip";
  Connection connection(std::move(socket), threads_->stop_fd(), 0, begin, never);
  connection.give_up_after(options_.patience);
  const auto watched = watch_.follow(connection.fd(), never);
  try {
    stream(connection, watched->stop, audit);
  } catch (const std::exception& error) {
    audit.broken_off = error.what();
  }
  const auto why = watch_.judge(*watched);
  watch_.leave(watched);
  audit.bytes = connection.sent();
  audit.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  if (audit.broken_off.empty()) audit.broken_off = words_of(why);
  log_.say(audit_line(audit));
}

void PcapStreams::stream(Connection& connection, const std::atomic<bool>& stop, AuditEntry& audit) {
  tools::ExtractOptions options;
  options.places = options_.directories;
  options.follow = options.stays = true;
  options.from_now = options_.pcap_over_ip->from_now;
  options.stop = &stop;
  options.sink = [&](std::span<const std::byte> bytes) {
    if (sent_something(connection.fd())) return audit.broken_off = "it sent something, as no such client does", false;
    return connection.write_all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  options.tell = [&](const std::string& text) {
    log_.say("wirespool: serve: client=" + audit.client + " " + text + "\n");
  };
  auto extraction = tools::Extraction::prepare(std::move(options));
  if (!extraction) {
    audit.broken_off = extraction.error().message();
    return;
  }
  const auto report = extraction->run();
  if (!report) {
    audit.broken_off = report.error().message();
    return;
  }
  if (!report->closed) audit.packets = report->packets;
  if (!report->problems.empty()) audit.broken_off = report->problems.front().message();
}

}  // namespace

std::optional<Error> wrong_pcap_over_ip(const SpoolServiceOptions& options) {
  if (!options.pcap_over_ip) return std::nullopt;
  const auto& address = options.pcap_over_ip->address;
  if (!is_loopback(address))
    return Error{"--pcap-over-ip",
                 address + " can be reached from elsewhere, and the protocol neither encrypts nor asks who it is",
                 "give an address of the loopback; who is elsewhere comes through ssh -L or another tunnel"};
  if (!options.token_file.empty() || !options.client_ca.empty())
    return Error{"--pcap-over-ip", "anybody on this machine could read there what wants a token or a certificate here",
                 "leave it out, or run a second wirespool serve for it"};
  return std::nullopt;
}

std::expected<std::unique_ptr<PcapOverIp>, Error> PcapOverIp::bind(const SpoolServiceOptions& options,
                                                                   storage::Speaker& log) {
  auto threads = ClientThreads::at(options.pcap_over_ip->address, "--pcap-over-ip");
  if (!threads) return std::unexpected(std::move(threads.error()));
  return std::make_unique<PcapStreams>(std::move(*threads), options, log);
}

}  // namespace wirespool::serve

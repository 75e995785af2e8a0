// SPDX-License-Identifier: BSD-3-Clause
#include "serve/spool_service.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "serve/client_threads.hpp"
#include "serve/exchange.hpp"
#include "serve/listener.hpp"
#include "serve/pcap_over_ip.hpp"
#include "serve/query_watch.hpp"
#include "serve/secrets.hpp"
#include "serve/spool_answers.hpp"
#include "serve/tls.hpp"
#include "wirespool/time_text.hpp"

namespace wirespool::serve {
namespace {

// A page of another site can have a browser on this machine ask for anything by a name that it makes lead to the
// loopback, and read the answer (DNS rebinding). What is asked of a service that knows no clients is asked by an
// address, or by the one name that nobody else can have (RFC 6761, 6.3).
bool is_name_of_loopback(std::string host) {
  if (const auto colon = host.rfind(':'); colon != std::string::npos && !host.ends_with(']')) host.resize(colon);
  const bool number = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || host == "[::1]" || (number && host.starts_with("127."));
}

std::string what_was_asked(const Request& request) {
  return request.method + " " + request.target + (request.body.empty() ? "" : " " + request.body);
}

// What tells nothing of captures wants no token, and is no query.
bool is_open(const Request& request) { return request.path == "/healthz" || SpoolAnswers::page(request); }

// One of a limited number, for as long as it lives.
class Place {
 public:
  Place(std::atomic<unsigned>& taken, unsigned most) : taken_(taken), has_(taken.fetch_add(1) < most) {}
  ~Place() { taken_.fetch_sub(1); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  explicit operator bool() const { return has_; }

 private:
  std::atomic<unsigned>& taken_;
  bool has_;
};

// What keeps others out.
struct Doors {
  std::unique_ptr<TlsServer> tls;  // nullptr: plain HTTP
  std::optional<Tokens> tokens;    // none: nobody needs one
};

// Of the request of a client that TLS takes as well: its handshake, with a chain of certificates.
constexpr std::size_t handshake_bytes = 64 << 10;

class HttpSpoolService final : public SpoolService {
 public:
  HttpSpoolService(std::unique_ptr<ClientThreads> threads, const SpoolServiceOptions& options, Doors doors,
                   storage::Speaker& log)
      : options_(options),
        doors_(std::move(doors)),
        answers_(options_),
        log_(log),
        watch_(threads->stop_fd()),
        threads_(std::move(threads)) {}

  std::expected<void, Error> bind_pcap_over_ip() {
    if (!options_.pcap_over_ip) return {};
    auto bound = PcapOverIp::bind(options_, log_);
    if (!bound) return std::unexpected(std::move(bound.error()));
    pcap_ = std::move(*bound);
    return {};
  }
  std::expected<void, Error> start() override;
  bool end(std::chrono::nanoseconds longest) override {
    const auto latest = Clock::now() + std::chrono::duration_cast<Clock::duration>(longest);
    bool ended = threads_->end(latest);
    if (pcap_) ended = pcap_->end(latest - Clock::now()) && ended;
    return ended;
  }

 private:
  void serve(storage::FileDescriptor socket);
  void answer_one(Connection& connection, const QueryWatch::Watched& watched, AuditEntry& audit);
  void answer_over(ByteStream& client, const QueryWatch::Watched& watched, AuditEntry& audit);
  std::optional<Answer> keep_out(const Request& request, AuditEntry& audit) const;
  Answer answer(const Request& request, QueryRun& run, std::optional<Place>& place);

  SpoolServiceOptions options_;
  Doors doors_;
  SpoolAnswers answers_;
  storage::Speaker& log_;
  std::atomic<unsigned> queries_{0};
  QueryWatch watch_;
  std::unique_ptr<ClientThreads> threads_;  // end before what they use
  std::unique_ptr<PcapOverIp> pcap_;        // so do its
};

std::expected<void, Error> HttpSpoolService::start() {
  if (auto started = watch_.start("serve"); !started) return started;
  if (pcap_)
    if (auto started = pcap_->start(); !started) return started;
  return threads_->start(options_.clients, [this](storage::FileDescriptor socket) { serve(std::move(socket)); });
}

void HttpSpoolService::serve(storage::FileDescriptor socket) {
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::nanoseconds(options_.time_limit_ns);
  AuditEntry audit;
  audit.begin = time_now();
  audit.client = peer_of(socket.get());
  const auto bytes = options_.request_bytes + (doors_.tls ? handshake_bytes : 0);
  Connection connection(std::move(socket), threads_->stop_fd(), bytes, begin + options_.request, end);
  connection.give_up_after(options_.patience);
  const auto watched = watch_.follow(connection.fd(), end);
  try {
    answer_one(connection, *watched, audit);
  } catch (const std::exception& error) {  // no memory; the connection is closed before the answer's end
    audit.broken_off = error.what();
  }
  const auto why = watch_.judge(*watched);
  watch_.leave(watched);
  if (audit.asked.empty()) return;
  audit.bytes = connection.sent();
  audit.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  if (connection.cut_off() || (watched->stop && !audit.broken_off.empty())) audit.broken_off = words_of(why);
  log_.say(audit_line(audit));
}

void HttpSpoolService::answer_one(Connection& connection, const QueryWatch::Watched& watched, AuditEntry& audit) {
  if (!doors_.tls) return answer_over(connection, watched, audit);
  const auto client = doors_.tls->serve(connection);
  if (!client) return;
  if (const auto done = client->handshake(); !done) {
    if (done.error().empty()) return;
    audit.asked = "TLS";
    audit.broken_off = done.error();
    return;
  }
  if (const auto subject = client->subject(); !subject.empty()) audit.by = subject;
  answer_over(*client, watched, audit);
  if (audit.broken_off.empty() && !connection.cut_off()) client->say_goodbye();
}

void HttpSpoolService::answer_over(ByteStream& client, const QueryWatch::Watched& watched, AuditEntry& audit) {
  QueryRun run{watched.stop, audit, options_.size_limit.value_or(UINT64_MAX)};
  std::optional<Place> place;  // until the answer was sent
  const auto audited = [&](const Request& request) {
    auto result = answer(request, run, place);
    audit.status = result.status;
    if (!is_open(request)) audit.asked = what_was_asked(request);
    return result;
  };
  exchange(client, {audited, [](int status) { return error_answer(status); }, options_.request_bytes});
}

// nullopt: who asks may.
std::optional<Answer> HttpSpoolService::keep_out(const Request& request, AuditEntry& audit) const {
  if (doors_.tokens && !is_open(request)) {
    const auto line = doors_.tokens->line_of(request.authorization);
    if (!line) {
      auto unknown = error_answer(401, {"Authorization", "it shows no token that is known here",
                                        "send Authorization: Bearer TOKEN, with one of --token-file"});
      unknown.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"wirespool\"");
      return unknown;
    }
    audit.by = (audit.by == AuditEntry().by ? "" : audit.by + " ") + fmt::format("token of line {}", *line);
  }
  const bool anybody = !doors_.tokens && options_.client_ca.empty();
  if (anybody && !is_name_of_loopback(request.host))
    return error_answer(421, {"Host", "'" + request.host + "' is no name of this machine's loopback",
                              "ask by its address, or as localhost"});
  return std::nullopt;
}

Answer HttpSpoolService::answer(const Request& request, QueryRun& run, std::optional<Place>& place) {
  if (auto kept = keep_out(request, run.audit)) return std::move(*kept);
  if (SpoolAnswers::reads_packets(request)) {
    place.emplace(queries_, options_.queries);
    if (!*place) {
      auto busy = error_answer(
          503, {"service", fmt::format("{} queries are running", options_.queries), "ask again when one has ended"});
      busy.headers.emplace_back("Retry-After", "5");
      return busy;
    }
  }
  if (auto page = SpoolAnswers::page(request)) return std::move(*page);
  return answers_.answer(request, run);
}

// What is asked for, as a whole, before anything is opened.
std::optional<Error> wrong_doors(const SpoolServiceOptions& options) {
  const bool tls = !options.tls_cert.empty();
  if (tls != !options.tls_key.empty())
    return Error{tls ? "--tls-cert" : "--tls-key", "TLS takes both", "give --tls-cert and --tls-key"};
  if (!options.client_ca.empty() && !tls)
    return Error{"--client-ca", "clients show certificates in TLS alone", "give --tls-cert and --tls-key too"};
  if (is_loopback(options.listen)) return std::nullopt;
  if (!tls)
    return Error{options.option, options.listen + " can be reached from elsewhere, where others listen in",
                 "give `wirespool serve` --tls-cert and --tls-key, or an address of the loopback"};
  if (options.token_file.empty() && options.client_ca.empty())
    return Error{options.option, options.listen + " can be reached from elsewhere, and anybody could ask",
                 "give --token-file or --client-ca, or an address of the loopback"};
  return std::nullopt;
}

// Files are open for a while each, hundreds of them for a query over many; a client's connection has to have a
// descriptor too. What is allowed beyond a shell's usual 1024 is taken.
void take_descriptors() {
  constexpr rlim_t enough = 16'384;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= enough) return;
  limit.rlim_cur = std::min(limit.rlim_max, enough);
  (void)::setrlimit(RLIMIT_NOFILE, &limit);  // else there are fewer, and readers keep fewer files open
}

std::expected<Doors, Error> make_doors(const SpoolServiceOptions& options) {
  if (auto wrong = wrong_pcap_over_ip(options)) return std::unexpected(std::move(*wrong));
  if (auto wrong = wrong_doors(options)) return std::unexpected(std::move(*wrong));
  Doors doors;
  if (!options.tls_cert.empty()) {
    auto tls = TlsServer::make(options.tls_cert, options.tls_key, options.client_ca);
    if (!tls) return std::unexpected(std::move(tls.error()));
    doors.tls = std::move(*tls);
  }
  if (!options.token_file.empty()) {
    auto tokens = Tokens::read(options.token_file);
    if (!tokens) return std::unexpected(std::move(tokens.error()));
    doors.tokens = std::move(*tokens);
  }
  return doors;
}

}  // namespace

std::expected<std::unique_ptr<SpoolService>, Error> bind_spool_service(const SpoolServiceOptions& options,
                                                                       storage::Speaker& log) {
  auto doors = make_doors(options);
  if (!doors) return std::unexpected(std::move(doors.error()));
  auto threads = ClientThreads::at(options.listen, options.option);
  if (!threads) return std::unexpected(std::move(threads.error()));
  take_descriptors();
  auto service = std::make_unique<HttpSpoolService>(std::move(*threads), options, std::move(*doors), log);
  if (auto bound = service->bind_pcap_over_ip(); !bound) return std::unexpected(std::move(bound.error()));
  return service;
}

}  // namespace wirespool::serve

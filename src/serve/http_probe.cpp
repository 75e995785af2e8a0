// SPDX-License-Identifier: BSD-3-Clause
// A Probe by cpp-httplib's client; TLS where that was built with OpenSSL.
#include <fmt/format.h>
#include <httplib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>

#include "format/printable.hpp"
#include "serve/probe.hpp"
#include "serve/secrets.hpp"

namespace wirespool::serve {
namespace {

constexpr std::size_t longest_refusal = 64 << 10;  // of an error's body that is looked at
constexpr auto connect_patience = std::chrono::seconds(10);
constexpr auto read_patience = std::chrono::hours(24);  // a rare packet of terabytes; who is gone is noticed otherwise

struct Place {
  std::string scheme, host, port;
  std::string base() const { return scheme + "://" + host + port; }
  bool encrypted() const { return scheme == "https"; }
  bool here() const { return host == "localhost" || host == "[::1]" || host.starts_with("127."); }
};

std::optional<Place> place_of(const std::string& url) {
  static const std::regex form(R"(^(https?)://(\[[0-9a-fA-F:.]+\]|[^/:@?#\[\]\s]+)(:[0-9]{1,5})?/?$)");
  std::smatch parts;
  if (!std::regex_match(url, parts, form)) return std::nullopt;
  return Place{parts[1], parts[2], parts[3]};
}

Error about(const std::string& what, std::string why, std::string what_to_do) {
  return {what, std::move(why), std::move(what_to_do), Error::Kind::not_ready};
}

// A far end that is gone is given up after 30 s and three questions of 10 s (tcp(7)).
void keep_asking(int socket) {
  const auto set = [socket](int level, int name, int value) {
    (void)::setsockopt(socket, level, name, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
}

Error explain(const std::string& url, httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
      return about(url, "there is no connection", "see whether wirespool serve listens there, and what is between");
    case httplib::Error::Read:
    case httplib::Error::Write:
      return about(url, "the answer broke off, its end is missing",
                   "ask again; the service says why in its log (a damaged file, a limit, its end)");
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
    case httplib::Error::SSLConnection:
      return about(url, "no TLS could be agreed on",
                   "see whether it wants a certificate (--client-cert, --client-key)");
    case httplib::Error::SSLLoadingCerts:
      return about("--ca", "it cannot be read, or is no PEM file of certificates", "give another file");
    case httplib::Error::SSLServerVerification:
      return about(url, "its certificate is not one for that name that a known CA signed", "give its CA by --ca");
#endif
    default:
      return about(url, "HTTP failed: " + httplib::to_string(error), "see what listens there");
  }
}

// The service's own words, or what the status means.
Error refusal(const std::string& url, int status, const std::string& body) {
  if (status == 401) return about(url, "it wants a token, or another one", "give --token-file");
  const auto json = nlohmann::json::parse(body, nullptr, false);
  const auto word = [&json](const char* name) {
    return json.is_object() && json.contains(name) && json[name].is_string()
               ? format::printable(json[name].get<std::string>())
               : std::string();
  };
  if (word("why").empty())
    return about(url, fmt::format("its answer has the status {}", status), "see what listens there");
  return about(url, word("what") + ": " + word("why"), word("what_to_do"));
}

class HttpProbe final : public Probe {
 public:
  HttpProbe(std::string url, Place place, ProbeAccess access, std::string token)
      : url_(std::move(url)), place_(std::move(place)), access_(std::move(access)), token_(std::move(token)) {}

  const std::string& url() const override { return url_; }
  std::expected<void, Error> get(const std::string& path, const Parameters& parameters, const std::string& accept,
                                 const Take& take) const override;

 private:
  void set_up(httplib::Client& client) const;

  std::string url_;
  Place place_;
  ProbeAccess access_;
  std::string token_;
};

void HttpProbe::set_up(httplib::Client& client) const {
  client.set_connection_timeout(connect_patience);
  client.set_read_timeout(read_patience);
  client.set_follow_location(false);
  client.set_socket_options(keep_asking);
  if (!token_.empty()) client.set_bearer_token_auth(token_.c_str());
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
  if (!access_.ca.empty()) client.set_ca_cert_path(access_.ca.c_str());
  client.enable_server_certificate_verification(true);
#endif
}

std::expected<void, Error> HttpProbe::get(const std::string& path, const Parameters& parameters,
                                          const std::string& accept, const Take& take) const {
  httplib::Client client(place_.base(), access_.client_cert, access_.client_key);
  if (!client.is_valid())
    return std::unexpected(about(url_, "no TLS: certificates or keys cannot be read, or are none",
                                 "see to --client-cert and --client-key"));
  set_up(client);
  int status = 0;
  std::string body;
  const auto begin = [&status](const httplib::Response& response) {
    status = response.status;
    return true;
  };
  const auto receive = [&](const char* bytes, std::size_t count) {
    if (status == 200) return take(std::as_bytes(std::span(bytes, count)));
    body.append(bytes, std::min(count, longest_refusal - std::min(longest_refusal, body.size())));
    return true;
  };
  const auto target = httplib::append_query_params(path, httplib::Params(parameters.begin(), parameters.end()));
  const auto result = client.Get(target, {{"Accept", accept}}, begin, receive);
  if (status != 0 && status != 200) return std::unexpected(refusal(url_, status, body));
  if (!result) return std::unexpected(explain(url_, result.error()));
  return {};
}

std::optional<Error> wrong_secrets(const Place& place, const std::string& url, const ProbeAccess& access) {
  if (!access.token_file.empty() && !place.encrypted() && !place.here())
    return about(url, "the token could be read on its way there", "ask by https://");
  if (access.client_cert.empty() != access.client_key.empty())
    return about("--client-cert", "a certificate takes its key", "give both --client-cert and --client-key");
  if (!access.client_key.empty()) return others_may_read("--client-key", access.client_key);
  return std::nullopt;
}

bool has_tls() noexcept {
#ifdef CPPHTTPLIB_OPENSSL_SUPPORT
  return true;
#else
  return false;
#endif
}

}  // namespace

std::expected<std::unique_ptr<Probe>, Error> Probe::at(const std::string& url, const ProbeAccess& access) {
  auto place = place_of(url);
  if (!place)
    return std::unexpected(Error{url, "it is not scheme, host and port alone",
                                 "write it as https://probe-a:8443 or http://127.0.0.1:8080"});
  if (place->encrypted() && !has_tls())
    return std::unexpected(about(url, "this wirespool was built without TLS", "build it with OpenSSL"));
  if (auto wrong = wrong_secrets(*place, url, access)) return std::unexpected(std::move(*wrong));
  std::string token;
  if (!access.token_file.empty()) {
    const auto tokens = Tokens::read(access.token_file);
    if (!tokens) return std::unexpected(tokens.error());
    token = tokens->first();
  }
  return std::make_unique<HttpProbe>(url, std::move(*place), access, std::move(token));
}

}  // namespace wirespool::serve

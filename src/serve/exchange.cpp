// SPDX-License-Identifier: BSD-3-Clause
// HTTP by cpp-httplib, which takes requests apart and writes answers; connections are accepted and bounded elsewhere.
#include "serve/exchange.hpp"

#include <httplib.h>

#include <algorithm>
#include <string_view>

namespace wirespool::serve {
namespace {

constexpr std::size_t longest_path = 128;  // nothing that is served has a longer one

// A client as the library reads and writes it. Later versions than 0.11 ask for more, and call some of it otherwise.
class HttpStream final : public httplib::Stream {
 public:
  explicit HttpStream(ByteStream& client) : client_(client) {}

  bool is_readable() const { return client_.readable(); }
  bool wait_readable() const { return client_.readable(); }
  bool is_writable() const { return client_.writable(); }
  bool wait_writable() const { return client_.writable(); }
  ssize_t read(char* to, std::size_t size) { return client_.read(to, size); }
  ssize_t write(const char* from, std::size_t size) {
    return client_.write_all(from, size) ? static_cast<ssize_t>(size) : -1;
  }
  void get_remote_ip_and_port(std::string&, int&) const {}  // nobody asks who it was
  void get_local_ip_and_port(std::string&, int&) const {}
  socket_t socket() const { return client_.fd(); }
  time_t duration() const { return 0; }

 private:
  ByteStream& client_;
};

// What is behind the ? of a target. The library counts a POST's body, which curl calls a form, among the parameters.
std::multimap<std::string, std::string> parameters_of(std::string_view target) {
  std::multimap<std::string, std::string> parameters;
  const auto begin = target.find('?');
  while (begin != std::string_view::npos && target.size() > begin + 1) {
    const auto last = std::max(begin, target.find_last_of("?&"));
    const auto one = target.substr(last + 1);
    const auto equals = std::min(one.find('='), one.size());
    if (!one.empty()) parameters.emplace(one.substr(0, equals), one.substr(std::min(equals + 1, one.size())));
    target = target.substr(0, last);
  }
  return parameters;
}

Request request_of(const httplib::Request& from) {
  return {.method = from.method,
          .path = from.path,
          .target = from.target,
          .parameters = from.method == "POST"
                            ? parameters_of(from.target)
                            : std::multimap<std::string, std::string>(from.params.begin(), from.params.end()),
          .accept = from.get_header_value("Accept"),
          .authorization = from.get_header_value("Authorization"),
          .host = from.get_header_value("Host"),
          .content_type = from.get_header_value("Content-Type"),
          .limit_packets = from.get_header_value("Steno-Limit-Packets"),
          .limit_bytes = from.get_header_value("Steno-Limit-Bytes"),
          .body = from.body,
          .has_chunks = from.version != "HTTP/1.0"};
}

void put(Answer answer, httplib::Response& response) {
  response.status = answer.status;
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("Cache-Control", "no-store");  // all of it is of this moment
  for (const auto& [name, value] : answer.headers) response.set_header(name, value);
  if (!answer.stream) return response.set_content(std::move(answer.body), answer.type);
  response.set_chunked_content_provider(
      answer.type, [stream = std::move(answer.stream)](std::size_t, httplib::DataSink& sink) {
        const auto send = [&sink](std::span<const std::byte> piece) {
          return sink.write(reinterpret_cast<const char*>(piece.data()), piece.size());
        };
        if (!stream(send)) return false;
        sink.done();
        return true;
      });
}

// Answers one request. Has no socket, and is never told to listen.
class Responder final : public httplib::Server {
 public:
  explicit Responder(const Answerer& answerer) {
    using Result = HandlerResponse;
    svr_sock_ = 0;  // a server that has none sends no chunks, as it takes itself for ended
    set_payload_max_length(answerer.body_bytes);
    // Before the library looks for a handler by regular expressions, whose cost grows with the path.
    set_pre_routing_handler([&answerer](const httplib::Request& request, httplib::Response& response) {
      if (request.path.size() > longest_path) return put(answerer.refuse(404), response), Result::Handled;
      if (request.method == "POST") return Result::Unhandled;  // its body is not read yet
      return put(answerer.answer(request_of(request)), response), Result::Handled;
    });
    Post(".*", [&answerer](const httplib::Request& request, httplib::Response& response) {
      put(answerer.answer(request_of(request)), response);
    });
    set_error_handler(
        [&answerer](const httplib::Request&, httplib::Response& response) {  // of what the library refuses
          if (response.body.empty() && !response.content_provider_) put(answerer.refuse(response.status), response);
        });
    set_exception_handler(
        [&answerer](const auto&, httplib::Response& response, auto&&...) { put(answerer.refuse(500), response); });
  }
  ~Responder() override { svr_sock_ = INVALID_SOCKET; }

  void answer(HttpStream& stream) {
    bool closed = false;
    one(stream, closed);
  }

 private:
  // A client that asks for a thousand overlapping ranges of a page is given the page.
  static void forget_ranges(httplib::Request& request) { request.ranges.clear(); }

  template <typename Stream>
  void one(Stream& stream, bool& closed) {
    if constexpr (requires { this->process_request(stream, true, closed, forget_ranges); })
      process_request(stream, true, closed, forget_ranges);
    else  // from 0.18 on
      process_request(stream, std::string(), 0, std::string(), 0, true, closed, forget_ranges);
  }
};

}  // namespace

void exchange(ByteStream& client, const Answerer& answerer) {
  HttpStream stream(client);
  Responder(answerer).answer(stream);
}

}  // namespace wirespool::serve

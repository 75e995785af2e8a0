// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/connection.hpp"

namespace wirespool::serve {

// What a client asks for, taken apart.
struct Request {
  std::string method, path, target;                       // target: as it was sent
  std::multimap<std::string, std::string> parameters;     // of the target, decoded; of a POST as they stand
  std::string accept, authorization, host, content_type;  // headers; empty: not sent
  std::string limit_packets, limit_bytes;                 // Steno-Limit-Packets, Steno-Limit-Bytes, of POST /query
  std::string body;
  bool has_chunks = true;  // false: HTTP/1.0, whose answers end where the connection does
};

// Sends a piece. false: the client takes no more.
using SendPiece = std::function<bool(std::span<const std::byte>)>;

struct Answer {
  int status = 200;
  std::string type, body;
  std::vector<std::pair<std::string, std::string>> headers = {};
  // Instead of a body, for any length in constant memory: called after the headers were sent, sends pieces, and says
  // whether these are all. If not, the answer is broken off, so that the client sees that its end is missing.
  std::function<bool(const SendPiece&)> stream = {};
};

struct Answerer {
  std::function<Answer(const Request&)> answer;
  std::function<Answer(int status)> refuse;  // what is no request that can be answered
  std::size_t body_bytes = 0;                // most of a POST; other methods have no body
};

// One request of a client and its answer (HTTP/1.1, RFC 9112), after which the connection is to be closed. Any thread.
void exchange(ByteStream& client, const Answerer& answerer);

}  // namespace wirespool::serve

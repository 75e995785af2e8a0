// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "serve/connection.hpp"
#include "wirespool/error.hpp"

namespace wirespool::serve {

// A client over TLS (1.2 or newer). Its bytes go through the Connection, and are bounded there. One thread.
class TlsStream : public ByteStream {
 public:
  // Before anything else. Why not; empty: the client left, or its time was over.
  virtual std::expected<void, std::string> handshake() = 0;

  virtual std::string subject() const = 0;  // of the client's certificate, "CN=probe-a,O=lab"; empty: it has none
  virtual void say_goodbye() noexcept = 0;  // after an answer that is whole: close_notify (RFC 8446, 6.1)
};

// Certificate and key of a service. Any number of threads.
class TlsServer {
 public:
  // PEM files: the certificate with its chain, its key (which others may not read), and the CA that clients'
  // certificates must be of; empty: clients need none. Nothing is read afterwards. Without OpenSSL an Error that says
  // so.
  static std::expected<std::unique_ptr<TlsServer>, Error> make(const std::string& certificate, const std::string& key,
                                                               const std::string& client_ca);

  virtual ~TlsServer() = default;
  virtual std::unique_ptr<TlsStream> serve(Connection& client) const = 0;  // nullptr: no memory
};

}  // namespace wirespool::serve

// SPDX-License-Identifier: BSD-3-Clause
#include "serve/tls.hpp"

#include "serve/secrets.hpp"

#ifdef WIRESPOOL_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <climits>
#endif

namespace wirespool::serve {

#ifdef WIRESPOOL_TLS

namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// Of this thread's last call, in OpenSSL's words.
std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  return reason != nullptr ? reason : "";
}

// TLS between memory and memory: what it wants to have sent, and what came, goes through the Connection.
class Stream final : public TlsStream {
 public:
  Stream(Owned<SSL> ssl, Connection& client) : ssl_(std::move(ssl)), client_(client) {}

  std::expected<void, std::string> handshake() override {
    for (;;) {
      ERR_clear_error();
      const int done = SSL_accept(ssl_.get());
      const int error = SSL_get_error(ssl_.get(), done);
      const auto reason = done == 1 || error == SSL_ERROR_WANT_READ ? std::string() : last_reason();
      const bool sent = send_what_is_there();  // also the alert that says what is wrong
      if (done == 1 && sent) return {};
      if (done == 1 || error != SSL_ERROR_WANT_READ || !sent || !take_what_came()) return std::unexpected(reason);
    }
  }

  std::string subject() const override {
    const Owned<X509> certificate(SSL_get1_peer_certificate(ssl_.get()));
    const Owned<BIO> text(BIO_new(BIO_s_mem()));
    if (!certificate || !text) return "";
    X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate.get()), 0, XN_FLAG_RFC2253);
    char* begin = nullptr;
    const auto length = BIO_get_mem_data(text.get(), &begin);
    return {begin, static_cast<std::size_t>(std::max(0L, length))};
  }

  void say_goodbye() noexcept override {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    send_what_is_there();
  }

  bool readable() noexcept override {
    return SSL_pending(ssl_.get()) > 0 || BIO_pending(SSL_get_rbio(ssl_.get())) > 0 || client_.readable();
  }
  bool writable() noexcept override { return client_.writable(); }

  std::ptrdiff_t read(char* to, std::size_t size) noexcept override {
    for (;;) {
      ERR_clear_error();
      const int got = SSL_read(ssl_.get(), to, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
      if (got > 0) return got;
      const int error = SSL_get_error(ssl_.get(), got);
      if (!send_what_is_there()) return -1;
      if (error == SSL_ERROR_ZERO_RETURN) return 0;
      if (error != SSL_ERROR_WANT_READ || !take_what_came()) return -1;
    }
  }

  bool write_all(const char* from, std::size_t size) noexcept override {
    constexpr std::size_t piece = 64 << 10;  // a few records; bounds what is kept
    while (size > 0) {
      ERR_clear_error();
      const int taken = SSL_write(ssl_.get(), from, static_cast<int>(std::min(size, piece)));
      if (!send_what_is_there() || taken <= 0) return false;
      from += taken;
      size -= static_cast<std::size_t>(taken);
    }
    return true;
  }

  int fd() const noexcept override { return client_.fd(); }

 private:
  bool send_what_is_there() noexcept {
    std::array<char, 17 << 10> bytes;
    for (int got; (got = BIO_read(SSL_get_wbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()))) > 0;)
      if (!client_.write_all(bytes.data(), static_cast<std::size_t>(got))) return false;
    return true;
  }

  bool take_what_came() noexcept {
    std::array<char, 1024> bytes;
    const auto got = client_.read(bytes.data(), bytes.size());
    return got > 0 && BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(got)) == got;
  }

  Owned<SSL> ssl_;
  Connection& client_;
};

class Server final : public TlsServer {
 public:
  explicit Server(Owned<SSL_CTX> context) : context_(std::move(context)) {}

  std::unique_ptr<TlsStream> serve(Connection& client) const override {
    Owned<SSL> ssl(SSL_new(context_.get()));
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    if (!ssl || !in || !out) {
      BIO_free(in);
      BIO_free(out);
      return nullptr;
    }
    SSL_set_bio(ssl.get(), in, out);  // owns both
    return std::make_unique<Stream>(std::move(ssl), client);
  }

 private:
  Owned<SSL_CTX> context_;
};

std::unexpected<Error> refused(const char* option, const std::string& path, const char* what_to_do) {
  auto reason = last_reason();
  return std::unexpected(
      Error{option, path + ": " + (reason.empty() ? "it cannot be used" : reason), what_to_do, Error::Kind::not_ready});
}

// Clients show a certificate of this CA, or are refused.
bool ask_for_certificates(SSL_CTX& context, const std::string& client_ca) {
  auto* names = SSL_load_client_CA_file(client_ca.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(&context, client_ca.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return false;
  }
  SSL_CTX_set_client_CA_list(&context, names);
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return true;
}

}  // namespace

std::expected<std::unique_ptr<TlsServer>, Error> TlsServer::make(const std::string& certificate, const std::string& key,
                                                                 const std::string& client_ca) {
  if (auto wrong = others_may_read("--tls-key", key)) return std::unexpected(std::move(*wrong));
  ERR_clear_error();
  Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  if (!context) return refused("--tls-cert", certificate, "make memory free");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // One request a connection: nothing is resumed or negotiated anew.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1)
    return refused("--tls-cert", certificate, "give a PEM file of the certificate and those that it was signed with");
  if (SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1)
    return refused("--tls-key", key, "give the PEM file of the certificate's key, without a passphrase");
  if (!client_ca.empty() && !ask_for_certificates(*context, client_ca))
    return refused("--client-ca", client_ca, "give a PEM file of the CA that signs clients' certificates");
  return std::make_unique<Server>(std::move(context));
}

#else

std::expected<std::unique_ptr<TlsServer>, Error> TlsServer::make(const std::string& certificate, const std::string&,
                                                                 const std::string&) {
  return std::unexpected(Error{"--tls-cert", certificate + ": this wirespool was built without OpenSSL",
                               "install libssl-dev and build it with -Dopenssl=enabled", Error::Kind::not_ready});
}

#endif

}  // namespace wirespool::serve
